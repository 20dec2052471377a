# SPDX-License-Identifier: GPL-3.0-or-later
"""The way along the ground, kept with an action: so one in place can travel again, and the other way round."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from . import timeline
from .shared import BackendError

if TYPE_CHECKING:
    import bpy

    from .rig.channels import Array, Channels

PROPERTY: Final = "remodiffuse_travel"
"""Custom property of an action: JSON, a list of stretches {"frames": [...], "in_place": bool, "ways": [{"path": ...,
"values": [[x, ...], [y, ...], [z, ...]]}]}."""


def keep(action: bpy.types.Action, channels: Channels, start: float) -> None:
    """Remembers the way of a motion that was keyed from frame `start` on, in place of whatever lay in these frames."""
    if not channels.travel:
        return
    frames = (channels.frames + start).tolist()
    known = [each for each in _stretches(action) if each["frames"][-1] < frames[0] or each["frames"][0] > frames[-1]]
    ways = [{"path": timeline.data_path(way), "values": np.round(way.values.T, 6).tolist()} for way in channels.travel]
    known.append({"frames": frames, "in_place": channels.in_place, "ways": ways})
    action[PROPERTY] = json.dumps(known)


def action_of(armature: bpy.types.Object) -> bpy.types.Action:
    """The action of the armature that can be switched: the active one, or that of its topmost strip.

    Raises `BackendError` where there is none.
    """
    data: Any = armature.animation_data
    actions = [data.action] if data else []
    for track in reversed(data.nla_tracks if data else []):
        actions += [strip.action for strip in reversed(track.strips)]
    found = next((action for action in actions if action and _stretches(action)), None)
    if found is None:
        raise BackendError(
            "no_travel", f"No motion of {armature.name} has its way stored.", "Generate one and accept it first."
        )
    return found


def is_in_place(action: bpy.types.Action) -> bool:
    stretches = _stretches(action)
    return bool(stretches) and all(each["in_place"] for each in stretches)


def switch(action: bpy.types.Action) -> bool:
    """Takes the way out of the action's keys, or puts it back; whether it is in place now. What the animator has
    changed about the keys stays.
    """
    stretches, in_place = _stretches(action), not is_in_place(action)
    for each in stretches:
        if each["in_place"] != in_place:
            sign = -1.0 if in_place else 1.0
            offsets: dict[tuple[str, int], tuple[Array, Array]] = {
                (way["path"], component): (np.array(each["frames"]), sign * np.array(values))
                for way in each["ways"]
                for component, values in enumerate(way["values"])
            }
            timeline.shift(action, offsets)
            each["in_place"] = in_place
    action[PROPERTY] = json.dumps(stretches)
    return in_place


def _stretches(action: bpy.types.Action) -> list[Any]:
    """What is stored; nothing where somebody else's file holds something else."""
    try:
        stretches = json.loads(str(action.get(PROPERTY, "[]")))
        for each in stretches:
            frames = np.array(each["frames"], np.float64)
            ways = [np.array(way["values"], np.float64) for way in each["ways"] if isinstance(way["path"], str)]
            whole = [np.isfinite(frames).all(), (np.diff(frames) > 0.0).all(), isinstance(each["in_place"], bool)]
            whole += [way.ndim == 2 and way.shape[1] == len(frames) and np.isfinite(way).all() for way in ways]
            if not all(whole) or len(ways) < len(each["ways"]) or not len(frames):
                return []
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
    return stretches
