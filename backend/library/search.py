# SPDX-License-Identifier: GPL-3.0-or-later
"""Searching several libraries as if they were one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from torch import Tensor

    from .storage import Library, Match

ClipKey = tuple[str, int]
"""A clip among several libraries: the library's name and the clip's id in it."""


class Found(NamedTuple):
    library: Library
    match: Match


def search(
    libraries: Sequence[Library],
    query: Tensor,
    encoder: str,
    length: int,
    wanted: int,
    pinned: Sequence[ClipKey] = (),
    banned: Collection[ClipKey] = (),
) -> list[Found]:
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
    found = [
        Found(library, match)
        for library in libraries
        for match in library.search(query, encoder, length, wanted, _within(library, pinned), _within(library, banned))
    ]
    keys = {(each.library.name, each.match.clip): each for each in found}
    if lost := [key for key in pinned if key not in keys and key not in banned][:1]:
        raise BackendError("clip_missing", f"The pinned clip {lost[0]} is in no open library.", "Unpin it.")
    pins = [keys[key] for key in pinned if key in keys]
    others = sorted(
        (each for key, each in keys.items() if key not in pinned),
        key=lambda each: (-each.match.score, each.library.name, each.match.clip),
    )
    return [*pins, *others][:wanted]


def _within(library: Library, keys: Collection[ClipKey]) -> list[int]:
    return [clip for name, clip in keys if name == library.name]
