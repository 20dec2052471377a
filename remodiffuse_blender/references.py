# SPDX-License-Identifier: GPL-3.0-or-later
"""The clips that takes draw on, as the animator wants them: pinned or banned, for this and the following requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import library as motion_library
from . import properties
from .shared import BackendError

if TYPE_CHECKING:
    import bpy


def check_choices(context: bpy.types.Context) -> None:
    if not properties.get(context).choices:
        raise BackendError("no_choices", "No reference is pinned or banned.", "Pin or ban one below a take.")


def choose(context: bpy.types.Context, library: str, clip: int, caption: str, *, banned: bool) -> None:
    """Pins or bans a clip; a second time takes it back, the other choice replaces it."""
    settings = properties.get(context)
    if chosen(settings, library, clip) == ("banned" if banned else "pinned"):
        _forget(settings.choices, library, clip)
    else:
        _choose(settings.choices, library, clip, caption, banned=banned)


def check_replace(context: bpy.types.Context) -> None:
    if motion_library.chosen(context) is None:
        raise BackendError("no_clip", "No clip is chosen in the Motion Library.", "Search one there, and click on it.")


def replace(context: bpy.types.Context, name: str, clip: int, caption: str) -> None:
    """Bans a clip of the library `name` and pins the one that is chosen in the Motion Library. Raises BackendError if
    they are the same.
    """
    check_replace(context)
    other = motion_library.chosen(context)
    if (other.library, other.clip) == (name, clip):
        raise BackendError(
            "same_clip", "This is the clip that is chosen in the Motion Library.", "Click on another one there."
        )
    choices = properties.get(context).choices
    _choose(choices, name, clip, caption, banned=True)
    _choose(choices, other.library, other.clip, other.caption, banned=False)


def _choose(choices: Any, library: str, clip: int, caption: str, *, banned: bool) -> None:  # noqa: ANN401
    _forget(choices, library, clip)
    made = choices.add()
    made.library, made.clip, made.caption, made.banned = library, clip, caption, banned


def _forget(choices: Any, library: str, clip: int) -> None:  # noqa: ANN401 - Blender's collection
    for index, each in enumerate(choices):
        if (each.library, each.clip) == (library, clip):
            choices.remove(index)
            return


def clear(context: bpy.types.Context) -> None:
    check_choices(context)
    properties.get(context).choices.clear()


def chosen(settings: properties.RemodiffuseSettings, library: str, clip: int) -> str:
    """ "pinned", "banned" or ""."""
    for each in settings.choices:
        if (each.library, each.clip) == (library, clip):
            return "banned" if each.banned else "pinned"
    return ""
