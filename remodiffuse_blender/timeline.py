# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions, slots, channelbags and keys. The only file that knows Blender's Action API (4.5 and 5.0 or newer)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .shared import BackendError

if TYPE_CHECKING:
    import bpy

    from .rig.channels import Array, Channels

# The numbers behind Keyframe.interpolation.
_CONSTANT: Final = 0
_LINEAR: Final = 1


def write_action(
    armature: bpy.types.Object,
    channels: Channels,
    name: str,
    frame_start: float = 1.0,
    properties: dict[str, Any] | None = None,
) -> bpy.types.Action:
    """A new action with one key a frame, assigned to `armature` together with its slot.

    `properties` become custom properties of the action (the provenance of the take). The action's manual frame range
    is set to its keys. Nothing else changes: an action that was assigned before stays in the file, and the scene
    range, the playhead, modes and constraints are left alone.

    Raises BackendError when the armature cannot take an action: it is linked, or its NLA is in tweak mode.
    """
    import bpy

    _check_writable(armature)

    action = bpy.data.actions.new(name)
    slot = action.slots.new(id_type="OBJECT", name=armature.name)
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    bag: Any = strip.channelbag(slot, ensure=True)  # pyright: ignore[reportAttributeAccessIssue] of key-frame strips

    frames = np.asarray(channels.frames, dtype=np.float64) + frame_start
    groups: dict[str, Any] = {}
    for channel in channels.channels:
        group = groups.get(channel.bone) or groups.setdefault(channel.bone, bag.groups.new(channel.bone))
        path = f'pose.bones["{bpy.utils.escape_identifier(channel.bone)}"]'
        path += channel.path if channel.path.startswith("[") else f".{channel.path}"
        for component, values in enumerate(np.asarray(channel.values, dtype=np.float64).T):
            curve = bag.fcurves.new(path, index=component)
            curve.group = group
            _write_keys(curve, frames[: len(values)], values)

    action.use_frame_range = True
    action.frame_start, action.frame_end = float(frames[0]), float(frames[-1])
    for key, value in (properties or {}).items():
        action[key] = value
    data: Any = armature.animation_data or armature.animation_data_create()
    data.action = action
    # An action alone plays nothing: without its slot it stays silent.
    data.action_slot = slot
    return action


def _check_writable(armature: bpy.types.Object) -> None:
    if not armature.is_editable:
        raise BackendError(
            "rig_linked",
            f'"{armature.name}" is linked from another file, so it cannot be animated here.',
            "Make a library override of it (Object > Library Override > Make) and try again.",
        )
    if armature.animation_data and armature.animation_data.use_tweak_mode:
        raise BackendError(
            "nla_tweak_mode",
            f'"{armature.name}" is being edited in the NLA editor.',
            "Leave tweak mode there (Tab) and try again.",
        )


def _write_keys(curve: Any, frames: Array, values: Array) -> None:  # noqa: ANN401 (the type differs between versions)
    points = curve.keyframe_points
    points.add(len(values))
    points.foreach_set("co", np.stack((frames, values), axis=1).ravel().astype(np.float32))
    interpolation = _LINEAR if len(values) > 1 else _CONSTANT
    points.foreach_set("interpolation", np.full(len(values), interpolation, dtype=np.int32))
    curve.update()
