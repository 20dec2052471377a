# SPDX-License-Identifier: GPL-3.0-or-later
"""Searching several libraries as if they were one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..errors import BackendError
from ..request import ClipKey, Reference

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from torch import Tensor

    from .clip import Clip
    from .storage import Library


class Retrieved(NamedTuple):
    """A clip that was found, and what a take says about it."""

    reference: Reference
    clip: Clip


def search(
    libraries: Sequence[Library],
    query: Tensor,
    encoder: str,
    length: float,
    wanted: int,
    pinned: Sequence[ClipKey] = (),
    banned: Collection[ClipKey] = (),
) -> list[Retrieved]:
    """The best clips of all libraries, best first; equal scores go by library name, then clip id.

    Arguments as in `Library.search`. Raises BackendError where two libraries have one name or a pin names no clip.
    """
    names = [library.name for library in libraries]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BackendError(
            "library_twice",
            f'Two libraries are named "{twice}".',
            "Leave one of them out, or make it again by another name.",
        )
    found = {
        (library.name, match.clip): (library, match)
        for library in libraries
        for match in library.search(query, encoder, length, wanted, _within(library, pinned), _within(library, banned))
    }
    pins = [key for key in pinned if key not in banned]
    if lost := [key for key in pins if key not in found][:1]:
        raise BackendError("clip_missing", f"The pinned clip {lost[0]} is in no open library.", "Unpin it.")
    others = sorted(found.keys() - set(pins), key=lambda key: (-found[key][1].score, key))
    chosen = []
    for library, match in [found[key] for key in [*pins, *others][:wanted]]:
        clip = library.clip(match.clip)
        reference = Reference(
            library.name, match.clip, match.caption, match.score, clip.frames, clip.source, clip.licence
        )
        chosen.append(Retrieved(reference, clip))
    return chosen


def _within(library: Library, keys: Collection[ClipKey]) -> list[int]:
    return [clip for name, clip in keys if name == library.name]
