# SPDX-License-Identifier: GPL-3.0-or-later
"""The models that there are to choose from: the starter model and every model folder beneath some folders.

Standard library only, so that a list costs nothing. Hashes are checked when a model is loaded, and by `verify`.
"""

from __future__ import annotations

import errno
import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

STARTER: Final = Path(__file__).parent / "weights" / "starter"
WEIGHTS: Final = "model.safetensors"
CARD: Final = "card.toml"
LIBRARY: Final = "library.sqlite"
MAX_CARD: Final = 1 << 20
"""Bytes; an honest card has some thousand."""
MAX_LISTED: Final = 200
MAX_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as people choose it. `bytes` are those of its folder; `source` is starter, imported or own."""

    name: str
    version: str
    licence: str
    source: str
    bytes: int
    sha256: str
    folder: Path


def list_models(folders: Sequence[Path] = ()) -> list[Listed]:
    """The starter model, then what lies in the folders, by name. A folder with a bad card is left out."""
    found = {}
    for folder in [STARTER, *(each for parent in folders for each in _inside(parent))]:
        if model := _read(folder):
            # Two of one name: the first one found, so that nobody's file can stand in for the starter model.
            found.setdefault(model.name, model)
    return list(found.values())[:MAX_LISTED]


def read_text(card: Path) -> str:
    """The text of a card. Raises OSError where it is none: no plain file, larger than any card, or not UTF-8."""
    if not card.is_file():
        raise FileNotFoundError(errno.ENOENT, "there is no such file", str(card))
    with card.open("rb") as stream:
        content = stream.read(MAX_CARD + 1)
    try:
        if len(content) > MAX_CARD:
            raise ValueError
        return content.decode("utf-8")
    except ValueError as error:
        raise OSError(errno.EINVAL, "it is no text of at most a megabyte", str(card)) from error


def _read(folder: Path) -> Listed | None:
    """A glance at the card; whether all of it is valid is seen when the model is loaded."""
    try:
        table = tomllib.loads(read_text(folder / CARD))
        size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
        facts = [table["model"][name] for name in ("name", "version", "licence", "weights_sha256")]
        imported = "checkpoint_sha256" in table.get("training", {})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not all(isinstance(fact, str) and len(fact) <= MAX_TEXT for fact in facts):
        return None
    name, version, licence, sha256 = facts
    source = "starter" if folder == STARTER else "imported" if imported else "own"
    return Listed(name, version, licence, source, size, sha256, folder)


def _inside(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    # What is still being fetched has a name with a dot in front.
    return sorted(each for each in parent.iterdir() if not each.name.startswith(".") and (each / CARD).is_file())


def folder_of(name: str, folders: Sequence[Path]) -> Path:
    """Raises BackendError where no model has this name: a name is never taken for a path."""
    for model in list_models(folders):
        if model.name == name:
            return model.folder
    raise BackendError(
        "no_model", f'There is no model "{name[:60]}" here.', "Choose another model in the sidebar, or import this one."
    )


def on_the_wire(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """What the sidebar shows. Paths stay on this machine."""
    return [
        {name: getattr(model, name) for name in ("name", "version", "licence", "source", "bytes")}
        for model in list_models(folders)
    ]


def verify(model: Listed) -> bool:
    """Whether the weights are those that the card describes."""
    with (model.folder / WEIGHTS).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == model.sha256


def seal(folder: Path) -> str:
    """Put the SHA-256 of every other file of a model into its card; returns the card's own, which is to be published.

    Raises BackendError where there is no card.
    """
    card = folder / CARD
    try:
        text = card.read_text("utf-8").split("\n[files]\n")[0].rstrip() + "\n"
        hashes = {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(folder.iterdir())
            if file.is_file() and file.name not in (CARD, WEIGHTS) and file.suffix in (".safetensors", ".sqlite")
        }
        lines = [f'"{name}" = "{digest}"' for name, digest in hashes.items()]
        draft = card.with_suffix(".new")
        draft.write_text("\n".join([text, "[files]", *lines, ""]), "utf-8")
        draft.replace(card)
    except OSError as error:
        raise BackendError("cannot_write", f"{card}: {error.strerror}.", "Name the folder of a model.") from error
    return hashlib.sha256(card.read_bytes()).hexdigest()
