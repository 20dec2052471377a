# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading folders of motion: BVH or ASF/AMC files with a table that says what they are, and HumanML3D."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import BackendError
from ...motion.bvh import parse_bvh
from . import acclaim, humanml3d
from .canonical import canonical_positions, without_glitches
from .tables import NOT_STATED, read_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ..measures import Array
    from .tables import Entry


@dataclass(frozen=True, slots=True, eq=False)
class SourceClip:
    name: str
    label: str
    licence: str
    slides: bool
    """Planted feet slide in this source and need a foot lock."""
    positions: Array
    captions: tuple[str, ...] = ()
    """Whole sentences that came with the clip."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that has not been read yet."""

    name: str
    read: Callable[[], Iterator[SourceClip]]
    """Its clips on the canonical skeleton, in pieces where the file is broken. Raises BackendError."""


def read_sources(folder: Path) -> Iterator[SourceClip]:
    """Every clip of the folder. Raises BackendError when there is no table or no motion."""
    for file in source_files(folder):
        yield from file.read()


def source_files(folder: Path, *, mirrored: bool = False, licence: str | None = None) -> Iterator[SourceFile]:
    """What a folder holds, in order; files are read when asked. `mirrored`: HumanML3D's mirrored copies, too.
    `licence`: of clips for which the folder states none."""
    if humanml3d.is_humanml3d(folder):
        yield from _humanml3d_files(folder, mirrored, licence or humanml3d.LICENCE)
        return
    recordings = acclaim.amc_files(folder)
    entries = read_entries(folder, licence or (acclaim.CMU_LICENCE if recordings else NOT_STATED))
    if entries is None:
        raise BackendError(
            "no_data",
            f"There is no index.csv in {folder.name}.",
            "Name a folder with an index.csv or captions.csv and its BVH or ASF/AMC files, or one of HumanML3D.",
        )
    if recordings:
        yield from _acclaim_files(recordings, entries)
    else:
        yield from _bvh_files(folder, entries)


def _bvh_files(folder: Path, entries: list[Entry]) -> Iterator[SourceFile]:
    texts = _archive(folder)
    by_name = {} if texts else {path.stem: path for path in sorted(folder.rglob("*.bvh"))}

    def read(entry: Entry) -> Iterator[SourceClip]:
        if texts:
            text = texts.get(entry.file)
        else:
            path = folder / entry.file if entry.file else by_name.get(entry.clip)
            text = path.read_text(encoding="utf-8") if path and path.is_file() else None
        if text is None:
            raise BackendError(
                "no_data",
                f"{entry.file or entry.clip} is in the index of {folder.name} but not there.",
                "Restore the file.",
            )
        yield from _clips(entry, canonical_positions(parse_bvh(text)))

    for entry in entries:
        yield SourceFile(entry.clip, lambda entry=entry: read(entry))


def _acclaim_files(recordings: dict[str, Path], entries: list[Entry]) -> Iterator[SourceFile]:
    """CMU's index lists more trials than anyone has on disk: those that are not there are left out."""

    def read(entry: Entry) -> Iterator[SourceClip]:
        yield from _clips(entry, acclaim.positions_of(recordings[entry.clip], entry.fps))

    for entry in entries:
        if entry.clip in recordings:
            yield SourceFile(entry.clip, lambda entry=entry: read(entry))


def _humanml3d_files(folder: Path, mirrored: bool, licence: str) -> Iterator[SourceFile]:
    def read(name: str, texts: Path) -> Iterator[SourceClip]:
        for part, captions, positions in humanml3d.captioned_parts(folder, name, texts):
            for piece in without_glitches(positions):
                yield SourceClip(part, "", licence, False, piece, captions)

    for name, texts in humanml3d.motions(folder, mirrored):
        yield SourceFile(name, lambda name=name, texts=texts: read(name, texts))


def _clips(entry: Entry, positions: Array) -> Iterator[SourceClip]:
    slides = entry.skeleton == "daz43"
    for piece in without_glitches(positions):
        yield SourceClip(entry.clip, entry.description, entry.licence, slides, piece, entry.captions)


def _archive(folder: Path) -> dict[str, str]:
    texts = {}
    for path in folder.glob("*.tar.xz"):
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is not None and member.name.endswith(".bvh"):
                    texts[member.name.removeprefix("./")] = file.read().decode("utf-8")
    return texts
