# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a folder of motion: an index.csv (clip, file, description, licence) beside BVH files or one archive."""

from __future__ import annotations

import csv
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import BackendError
from ...motion.bvh import parse_bvh
from .canonical import canonical_positions, without_glitches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..measures import Array


@dataclass(frozen=True, slots=True, eq=False)
class SourceClip:
    name: str
    label: str
    licence: str
    slides: bool
    """Planted feet slide in this source and need a foot lock."""
    positions: Array


def read_sources(folder: Path) -> Iterator[SourceClip]:
    """Every clip of the folder on the canonical skeleton, in pieces where its file is broken.

    Raises BackendError when there is no index or no motion.
    """
    index = folder / "index.csv"
    if not index.is_file():
        raise BackendError(
            "no_data", f"There is no index.csv in {folder.name}.", "Name a folder with an index.csv and its BVH files."
        )
    texts = _archive(folder)
    with index.open(newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            text = texts.get(row["file"]) if texts else (folder / row["file"]).read_text(encoding="utf-8")
            if text is None:
                raise BackendError(
                    "no_data", f"{row['file']} is in the index of {folder.name} but not there.", "Restore the file."
                )
            for piece in without_glitches(canonical_positions(parse_bvh(text))):
                yield SourceClip(row["clip"], row["description"], row["licence"], row.get("skeleton") == "daz43", piece)


def _archive(folder: Path) -> dict[str, str]:
    texts = {}
    for path in folder.glob("*.tar.xz"):
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is not None and member.name.endswith(".bvh"):
                    texts[member.name.removeprefix("./")] = file.read().decode("utf-8")
    return texts
