# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of motion -> motion libraries: one file at a time, going on where an import stopped."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from ...errors import BackendError
from ...library import Clip
from ...motion.contacts import detect_contacts, lock_feet
from ...motion.skeleton import FPS, with_bone_lengths
from ...request import MAX_PROMPT, MIN_FRAMES
from ...text.subject import neutral
from .canonical import grounded
from .captions import action_of, sentence, travel_texts
from .cuts import calm_pieces
from .sources import source_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ...library import Library
    from ..measures import Array
    from .sources import SourceClip, SourceFile

CAPTIONS: Final = 12
"""Sentences a clip at most."""

TRAVEL_CAPTIONS: Final = 3


@dataclass(slots=True)
class Imported:
    """What became of the files of a folder."""

    files: int = 0
    clips: int = 0
    known: int = 0
    """Files that were in the library before."""
    refused: list[str] = field(default_factory=list)
    """What is wrong with the files that could not be read: "NAME: message"."""


def import_folder(
    folder: Path,
    library: Library,
    name: str,
    licence: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Imported:
    """Add the clips of a folder to an open library. All clips of a file are added, or none, so that an import that
    was stopped goes on with the first file that is not there yet. `name`: of the collection; clips say "NAME FILE".

    Raises BackendError where the folder holds no motion that can be read.
    """
    files = list(source_files(folder, mirrored=True, licence=licence))
    known = {source.split(" [")[0] for source in library.sources()}
    result = Imported(len(files))
    for number, file in enumerate(files):
        if f"{name} {file.name}" in known:
            result.known += 1
            continue
        try:
            clips = list(_clips(file, name))
        except BackendError as error:
            result.refused.append(f"{file.name}: {error.message}")
            continue
        library.add_all(clips)
        result.clips += len(clips)
        if progress:
            progress(number + 1, len(files))
    if not files or len(result.refused) == len(files):
        wrong = result.refused[0] if result.refused else "it is empty"
        raise BackendError("no_data", f"No motion of {folder.name} could be read ({wrong}).", "Check the folder.")
    return result


def _clips(file: SourceFile, name: str) -> Iterator[Clip]:
    for number, whole in enumerate(file.read()):
        positions = whole.positions
        if whole.slides:
            positions = with_bone_lengths(lock_feet(positions, detect_contacts(positions, FPS), FPS))
        for start, end in calm_pieces(positions):
            piece = grounded(positions[start:end])
            captions = captions_of(whole, piece)
            if end - start < MIN_FRAMES or not captions:
                continue
            place = f"{whole.name.removeprefix(file.name)} {number}: {start / FPS:.1f} s to {end / FPS:.1f} s".strip()
            yield Clip(
                captions,
                piece.astype(np.float32),
                detect_contacts(piece, FPS),
                f"{name} {file.name} [{place}]",
                whole.licence,
                (name, whole.label) if whole.label else (name,),
            )


def captions_of(clip: SourceClip, positions: Array) -> tuple[str, ...]:
    """What is said of a piece (T, 22, 3) of a clip: its own captions; else the label of its source, the sentences that
    captions.toml has for it, and for walks what the way says. Always the same for the same piece."""
    rng = random.Random(zlib.crc32(clip.name.encode()))  # noqa: S311 - choice of words, no secret
    texts = list(clip.captions)
    if clip.label:
        action = action_of(clip.name, clip.label)
        if action is not None and action.cut == "travel":
            _, phrases = travel_texts(positions, TRAVEL_CAPTIONS, rng)
            texts += [neutral(sentence(phrase, rng)) for phrase in phrases]
        if action is not None and action.cut != "events":
            texts += [f"a person {phrase}" for phrase in action.texts]
        texts.append(clip.label)
    return tuple(dict.fromkeys(text.strip()[:MAX_PROMPT] for text in texts if text.strip()))[:CAPTIONS]
