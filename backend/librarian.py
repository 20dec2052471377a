# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers the sidebar's questions about the motion libraries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from .errors import BackendError
from .library import Clip
from .library.shelf import OWN
from .library_messages import Answer, Question, Shown
from .motion.clip import Motion
from .motion.joining import placed
from .motion.rotations import forward_kinematics, rotations_from_positions
from .motion.skeleton import FPS
from .request import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from .library import Library, Shelf
    from .text import TextEncoder

    class Keeper(Protocol):
        """Who has the libraries: `backend.generate.Generator`."""

        encoder: TextEncoder
        given: Sequence[Library]
        shelf: Shelf | None

        @property
        def libraries(self) -> list[Library]: ...


LONGEST_NOTE: Final = 300
"""Characters of a caption or source that are shown."""


def answered(question: Question, keeper: Keeper) -> Answer:
    """Raises BackendError where it cannot be answered; then nothing has changed."""
    found, clip, motion = (), 0, None
    match question.verb:
        case "search":
            found = _found(question, keeper)
        case "clip":
            clip, motion = question.clip, _motion(question, keeper)
        case "add":
            clip = _shelf(keeper).add(_clip(question))
        case "remove":
            _shelf(keeper).remove(question.library, question.clip)
        case "load":
            _shelf(keeper).load(_path(question))
        case "save":
            _shelf(keeper).save(question.library or OWN, _path(question))
        case "unload":
            _shelf(keeper).unload(question.library)
    return Answer(_shown(keeper), found, clip, motion)


def _shown(keeper: Keeper) -> tuple[Shown, ...]:
    given = [Shown(each.name, len(each), own=False, problem="") for each in keeper.given]
    own = keeper.shelf.listed() if keeper.shelf else []
    return (*given, *(Shown(each.name, each.clips, each.own, each.problem) for each in own))


def _shelf(keeper: Keeper) -> Shelf:
    if keeper.shelf is None:
        raise BackendError(
            "no_libraries",
            "This backend or model keeps no libraries of your own.",
            "Choose the starter model; a backend of your own needs --libraries FOLDER in its command.",
        )
    return keeper.shelf


def _found(question: Question, keeper: Keeper) -> tuple[Reference, ...]:
    """What a prompt of these words and this length would retrieve; without words the newest clips."""
    if not question.text.strip():
        wanted = question.library or OWN
        library = next((each for each in keeper.libraries if each.name == wanted), None)
        newest = library.clips()[: -question.count - 1 : -1] if library else []
        return tuple(_reference(library, number, 1.0) for number in newest) if library else ()
    query = keeper.encoder.encode([question.text]).sentence[0]
    chosen = [each for each in keeper.libraries if question.library in ("", each.name)]
    length = question.seconds * FPS
    matches = [
        (match, library)
        for library in chosen
        for match in library.search(query, keeper.encoder.name, length, question.count)
    ]
    best = sorted(matches, key=lambda each: (-each[0].score, each[1].name, each[0].clip))[: question.count]
    return tuple(_reference(library, match.clip, match.score, match.caption) for match, library in best)


def _reference(library: Library, number: int, score: float, caption: str = "") -> Reference:
    clip = library.clip(number)
    shown = [text[:LONGEST_NOTE] for text in (caption or clip.captions[0], clip.source, clip.licence)]
    return Reference(library.name, number, shown[0], float(score), clip.frames, shown[1], shown[2])


def _motion(question: Question, keeper: Keeper) -> Motion:
    library = next((each for each in keeper.libraries if each.name == question.library), None)
    if library is None:
        raise BackendError("library_missing", f'There is no library "{question.library[:60]}" here.', "Search again.")
    clip = library.clip(question.clip)
    rotations, root = rotations_from_positions(clip.positions), clip.positions[:, 0]
    return Motion(FPS, forward_kinematics(rotations, root), rotations, root, clip.contacts)


def _clip(question: Question) -> Clip:
    motion = question.motion
    if motion is None:
        raise BackendError("bad_clip", "There is no motion to add.", "Select an armature that moves.")
    # Clips begin at the origin and face +Z, wherever on the stage they were made.
    motion = placed(motion, 0, 0.0, np.zeros(3))
    captions = tuple(dict.fromkeys(text.strip() for text in question.captions))
    return Clip(captions, motion.positions, motion.contacts, question.source, question.licence, question.tags)


def _path(question: Question) -> Path:
    """The file that was chosen; a relative one could lie anywhere."""
    path = Path(question.path)
    if not question.path or not path.is_absolute():
        raise BackendError("bad_request", f"{question.path or 'Nothing'} is not a full path.", "Choose a file.")
    return path
