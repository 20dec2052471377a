# SPDX-License-Identifier: GPL-3.0-or-later
"""The clips that takes draw on, as the animator wants them: pinned or banned, for this and the following requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import properties
from .shared import BackendError

if TYPE_CHECKING:
    import bpy


def check_choices(context: bpy.types.Context) -> None:
    if not properties.get(context).choices:
        raise BackendError("no_choices", "No reference is pinned or banned.", "Pin or ban one below a take.")


def choose(context: bpy.types.Context, library: str, clip: int, caption: str, *, banned: bool) -> None:
    """Pins or bans a clip; a second time takes it back, the other choice replaces it."""
    choices: Any = properties.get(context).choices
    for index, each in enumerate(choices):
        if (each.library, each.clip) == (library, clip):
            same = each.banned == banned
            choices.remove(index)
            if same:
                return
            break
    chosen = choices.add()
    chosen.library, chosen.clip, chosen.caption, chosen.banned = library, clip, caption, banned


def clear(context: bpy.types.Context) -> None:
    check_choices(context)
    properties.get(context).choices.clear()


def chosen(settings: properties.RemodiffuseSettings, library: str, clip: int) -> str:
    """ "pinned", "banned" or ""."""
    for each in settings.choices:
        if (each.library, each.clip) == (library, clip):
            return "banned" if each.banned else "pinned"
    return ""
