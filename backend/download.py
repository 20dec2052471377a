# SPDX-License-Identifier: GPL-3.0-or-later
"""A published model, fetched by the animator's wish with the Hugging Face hub's client.

Whoever publishes a model names a repository, a commit and the SHA-256 of its card; the card holds the SHA-256 of
every other file. Nothing else is fetched, and nothing becomes a model before every file is what it should be.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from .errors import BackendError
from .models import CARD, MAX_CARD, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Progress = Callable[[str, int, int], None]

REPOSITORY: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
COMMIT: Final = re.compile(r"[0-9a-f]{40}")
SHA256: Final = re.compile(r"[0-9a-f]{64}")
FILE: Final = re.compile(r"[A-Za-z0-9][\w-]{0,60}\.(safetensors|sqlite|toml|md)")
"""No other kind of file is fetched: nothing that could be run or unpickled."""
MAX_FILE: Final = 32 << 30
MAX_FILES: Final = 16
PIECE: Final = 1 << 16
"""Bytes that are written at once. What a cut loses of a file is less than that; the hub's client would lose 10 MB."""
STEPS: Final = 200
"""How often the progress of a file is told."""
PART: Final = ".part"
AGAIN: Final = "Check the network and try again: the download goes on where it stopped."


def download(
    repository: str, commit: str, sha256: str, models: Path, progress: Progress = lambda stage, step, total: None
) -> Path:
    """Fetch a model into `models` and return its folder. What an earlier attempt fetched is not fetched again.

    Raises BackendError where the hub cannot be reached or may not be asked, or where a file is another one.
    """
    for text, pattern, what in (
        (repository, REPOSITORY, "a repository, OWNER/NAME"),
        (commit, COMMIT, "a commit, 40 hexadecimal digits"),
        (sha256, SHA256, "a SHA-256, 64 hexadecimal digits"),
    ):
        if not pattern.fullmatch(text):
            raise BackendError(
                "bad_download", f"{text[:80]!r} is not {what}.", "Copy it from where the model is published."
            )
    draft = models / f".{commit[:12]}{PART}"
    draft.mkdir(parents=True, exist_ok=True)
    _fetch(repository, commit, CARD, draft, sha256, progress, MAX_CARD)
    name, files = _promised(draft / CARD)
    folder = models / name
    if folder.exists():
        raise BackendError("model_exists", f"There is a model {name} already.", "Remove it first to fetch it again.")
    for file, expected in files.items():
        _fetch(repository, commit, file, draft, expected, progress)
    draft.rename(folder)
    return folder


def _promised(card: Path) -> tuple[str, dict[str, str]]:
    """Name of the model, and the hash of every file that belongs to it."""
    try:
        table: dict[str, Any] = tomllib.loads(card.read_text("utf-8"))
        name = table["model"]["name"]
        files = table.get("files", {}) | {WEIGHTS: table["model"]["weights_sha256"]}
        safe = isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9][\w.-]{0,60}", name)
        known = all(
            FILE.fullmatch(file) and isinstance(each, str) and SHA256.fullmatch(each) for file, each in files.items()
        )
        if not safe or not known or len(files) > MAX_FILES or CARD in files:
            raise ValueError("it names files that no model has")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackendError(
            "bad_model", f"The model's card is not valid: {error}.", "Tell whoever published it."
        ) from error
    return name, files


def _fetch(
    repository: str, commit: str, file: str, draft: Path, sha256: str, progress: Progress, limit: int = MAX_FILE
) -> None:
    """One file into `draft`, on from what is there of it."""
    final = draft / file
    if final.exists():
        return
    part = draft / (file + PART)
    size = _get(repository, commit, file, part, progress, limit)
    with part.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        part.unlink()
        raise BackendError(
            "bad_hash",
            f"{file} ({size} bytes) is not the file that was published.",
            "Tell whoever published the model.",
        )
    part.replace(final)


def _get(repository: str, commit: str, file: str, part: Path, progress: Progress, limit: int) -> int:
    from huggingface_hub import constants, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
    from huggingface_hub.file_download import get_hf_file_metadata, http_get
    from tqdm import tqdm

    class Told(tqdm):
        """The hub's progress bar, told to whoever watches instead of drawn."""

        def __init__(self, *words: Any, **options: Any) -> None:  # noqa: ANN401  tqdm's own
            super().__init__(
                *words, **{name: each for name, each in options.items() if name != "name"} | {"disable": True}
            )
            self.done = self.told = options.get("initial", 0)

        def update(self, n: float | None = 1) -> None:
            self.done += n or 0
            if self.done - self.told >= size / STEPS or self.done >= size:
                self.told = self.done
                progress(file, min(int(self.done), size), max(size, 1))

    if constants.HF_HUB_OFFLINE:
        raise BackendError(
            "offline", "Blender may not go online.", "Allow Online Access in Preferences > System > Network."
        )
    try:
        url = hf_hub_url(repository, file, revision=commit)
        # No token: public models only, and nobody's secrets travel.
        about = get_hf_file_metadata(url, token=False)
        size = about.size or 0
        if not 0 < size <= limit:
            raise BackendError("bad_download", f"{file} has an impossible size.", "Tell whoever published the model.")
        there = part.stat().st_size if part.exists() else 0
        if there > size:
            part.unlink()
            there = 0
        constants.DOWNLOAD_CHUNK_SIZE = PIECE
        with part.open("ab") as stream:
            http_get(about.location, stream, resume_size=there, expected_size=size, tqdm_class=Told)
    except OfflineModeIsEnabled as error:
        raise BackendError(
            "offline", "Blender may not go online.", "Allow Online Access in Preferences > System > Network."
        ) from error
    except HfHubHTTPError as error:
        raise BackendError(
            "not_found", f"{file} is not at {repository} ({commit[:8]}).", "Check repository and commit."
        ) from error
    except BackendError:
        raise
    except OSError as error:
        if error.errno:
            raise BackendError("cannot_write", f"{part} cannot be written ({error.strerror}).", AGAIN) from error
        raise BackendError("network", f"The download of {file} was cut off.", AGAIN) from error
    except Exception as error:  # the client's network library has errors of its own
        raise BackendError("network", f"The download of {file} was cut off ({type(error).__name__}).", AGAIN) from error
    return size
