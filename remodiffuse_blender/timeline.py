# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions, slots, channelbags and keys. The only file that knows Blender's Action API (4.5 and 5.0 or newer)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .rig.keys import EVERY_FRAME, fitted, handles
from .shared import BackendError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import bpy

    from .rig.channels import Array, Channel, Channels
    from .rig.keys import Keying

# The numbers behind Keyframe.interpolation.
_CONSTANT: Final = 0
_LINEAR: Final = 1
_BEZIER: Final = 2
# The number behind Keyframe.handle_left_type: both handles of a key stay in one line.
_ALIGNED: Final = 3


def write_action(
    armature: bpy.types.Object,
    channels: Channels,
    name: str,
    frame_start: float = 1.0,
    properties: dict[str, Any] | None = None,
    keying: Keying = EVERY_FRAME,
) -> bpy.types.Action:
    """A new action with keys as `keying` says, assigned to `armature` together with its slot.

    `properties` become custom properties of the action (the provenance of the take). The action's manual frame range
    is set to its keys. Nothing else changes: an action that was assigned before stays in the file, and the scene
    range, the playhead, modes and constraints are left alone.

    Raises BackendError when the armature cannot take an action: it is linked, or its NLA is in tweak mode.
    """
    _check_writable(armature)
    action, slot = _new_action(armature, channels, name, frame_start, properties, keying)
    data: Any = armature.animation_data or armature.animation_data_create()
    data.action = action
    # An action alone plays nothing: without its slot it stays silent.
    data.action_slot = slot
    return action


def rewrite(action: bpy.types.Action, channels: Channels, name: str, frame_start: float) -> bool:
    """Gives an action that `write_action` made other keys of the same channels, and another name. Blender need not
    work out anew what depends on what, which with a control rig takes longer than everything else. Returns False,
    with nothing done, where the channels are others.
    """
    bag: Any = action.layers[0].strips[0].channelbags[0]  # pyright: ignore[reportAttributeAccessIssue] of key-frame strips
    wanted = {(data_path(each), index) for each in channels.channels for index in range(np.shape(each.values)[1])}
    if wanted != {(curve.data_path, curve.array_index) for curve in bag.fcurves}:
        return False
    for curve in bag.fcurves:
        curve.keyframe_points.clear()
    _write_channels(bag, channels, frame_start, EVERY_FRAME)
    action.name = name
    action.frame_start, action.frame_end = (frame_start + float(channels.frames[end]) for end in (0, -1))
    action.update_tag()
    return True


def write_strip(
    armature: bpy.types.Object,
    channels: Channels,
    name: str,
    frame_start: float,
    properties: dict[str, Any] | None = None,
    keying: Keying = EVERY_FRAME,
) -> bpy.types.Action:
    """A new action as a strip on a new track on top of the NLA. The action that was active goes onto a track of its
    own below it, where it plays as before until the strip begins.

    Raises BackendError as `write_action` does.
    """
    _check_writable(armature)
    data: Any = armature.animation_data or armature.animation_data_create()
    if data.action:
        _push_down(data)
    action, slot = _new_action(armature, channels, name, frame_start, properties, keying)
    track = data.nla_tracks.new()
    track.name = action.name
    strip = track.strips.new(action.name, round(action.frame_start), action)
    strip.action_slot = slot
    strip.blend_type = "REPLACE"
    # What comes before is the business of the tracks below; afterwards the character stays where it got to.
    strip.extrapolation = "HOLD_FORWARD"
    strip.use_sync_length = False
    return action


def merge(
    armature: bpy.types.Object, channels: Channels, frame_start: float, keying: Keying = EVERY_FRAME
) -> bpy.types.Action:
    """The keys in the armature's active action, in place of those that it has in these frames; all others stay.

    Raises BackendError as `write_action` does, and where there is no active action.
    """
    _check_writable(armature)
    data: Any = armature.animation_data
    if not data or not data.action or not data.action_slot:
        raise BackendError(
            "no_action", f'"{armature.name}" has no active action.', "Insert the motion as a new action or a strip."
        )
    action, slot = data.action, data.action_slot
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    _write_channels(strip.channelbag(slot, ensure=True), channels, frame_start, keying)
    if action.use_frame_range:
        action.frame_start = min(action.frame_start, frame_start + float(channels.frames[0]))
        action.frame_end = max(action.frame_end, frame_start + float(channels.frames[-1]))
    return action


def last_frame(armature: bpy.types.Object, action: bpy.types.Action | None) -> float | None:
    """The last frame at which `action` has a key or a strip of the armature's NLA ends; None without either."""
    data: Any = armature.animation_data
    tracks = data.nla_tracks if data else []
    ends = [strip.frame_end for track in tracks if not track.mute for strip in track.strips]
    if action and action.curve_frame_range[1] > action.curve_frame_range[0]:
        ends.append(action.curve_frame_range[1])
    return max(ends, default=None)


def fingerprint(action: bpy.types.Action) -> int:
    """Changes whenever a key of the action does."""
    value = 0
    for bag in (bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags):  # pyright: ignore[reportAttributeAccessIssue] of key-frame strips
        for curve in bag.fcurves:
            keys = np.empty(2 * len(curve.keyframe_points), np.float32)
            curve.keyframe_points.foreach_get("co", keys)
            value = zlib.crc32(keys.tobytes(), value)
    return value


def state_of_nla(armature: bpy.types.Object) -> str:
    """Changes whenever a track or strip of the armature does."""
    data: Any = armature.animation_data
    tracks = data.nla_tracks if data else []
    times = ("frame_start", "frame_end", "action_frame_start", "action_frame_end", "influence", "mute", "blend_type")
    return repr(
        [
            (track.mute, [(s.action and s.action.name, *(getattr(s, name) for name in times)) for s in track.strips])
            for track in tracks
        ]
    )


def _new_action(
    armature: bpy.types.Object,
    channels: Channels,
    name: str,
    frame_start: float,
    properties: dict[str, Any] | None,
    keying: Keying,
) -> tuple[bpy.types.Action, Any]:
    """An action with the channels' keys, and its slot for the armature."""
    import bpy

    action = bpy.data.actions.new(name)
    slot = action.slots.new(id_type="OBJECT", name=armature.name)
    strip: Any = action.layers.new("Layer").strips.new(type="KEYFRAME")
    _write_channels(strip.channelbag(slot, ensure=True), channels, frame_start, keying)
    action.use_frame_range = True
    action.frame_start, action.frame_end = (frame_start + float(channels.frames[end]) for end in (0, -1))
    for key, value in (properties or {}).items():
        action[key] = value
    return action, slot


def _write_channels(bag: Any, channels: Channels, frame_start: float, keying: Keying) -> None:  # noqa: ANN401 (a channelbag)
    """Keys for all channels; keys of the same curves within these frames go, those outside stay."""
    frames = np.asarray(channels.frames, dtype=np.float64) + frame_start
    groups: dict[str, Any] = {group.name: group for group in bag.groups}
    known = {(curve.data_path, curve.array_index): curve for curve in bag.fcurves}
    for channel in channels.channels:
        path = data_path(channel)
        made = fitted(channel, frames, keying)
        sides = handles(frames[made.rows], made)
        for component in range(made.values.shape[1]):
            curve = known.get((path, component))
            if curve is None:
                curve = bag.fcurves.new(path, index=component)
                group = channel.bone or "Object Transforms"
                curve.group = groups.get(group) or groups.setdefault(group, bag.groups.new(group))
            else:
                _clear(curve, frames[0], frames[-1])
            _write_keys(
                curve,
                frames[made.rows],
                made.values[:, component],
                sides and (sides[0][:, component], sides[1][:, component]),
            )


def data_path(channel: Channel) -> str:
    """The path of a channel's property as curves of an armature object's action spell it."""
    import bpy

    if not channel.bone:
        return channel.path
    owner = f'pose.bones["{bpy.utils.escape_identifier(channel.bone)}"]'
    return owner + (channel.path if channel.path.startswith("[") else f".{channel.path}")


def shift(action: bpy.types.Action, offsets: Mapping[tuple[str, int], tuple[Array, Array]]) -> None:
    """Adds to the values of keys, with their handles. `offsets` holds for (path, component) the frames (T) from the
    first to the last key that is shifted, and what is added there (T).
    """
    for bag in (bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags):  # pyright: ignore[reportAttributeAccessIssue] of key-frame strips
        for curve in bag.fcurves:
            if (found := offsets.get((curve.data_path, curve.array_index))) is None:
                continue
            frames, added = found
            points = curve.keyframe_points
            at = np.empty(2 * len(points), np.float32)
            points.foreach_get("co", at)
            keys = at[::2].copy()
            inside = (keys > frames[0] - 1e-3) & (keys < frames[-1] + 1e-3)
            more = np.where(inside, np.interp(keys, frames, added), 0.0)
            slope = np.gradient(added, frames) if len(frames) > 1 else np.zeros(1)
            slopes = np.where(inside, np.interp(keys, frames, slope), 0.0)
            for name in ("co", "handle_left", "handle_right"):
                points.foreach_get(name, at)
                # Handles lie before and after their key, where another value is added.
                at[1::2] += (more + slopes * (at[::2] - keys)).astype(np.float32)
                points.foreach_set(name, at)
            curve.update()


def _clear(curve: Any, start: float, end: float) -> None:  # noqa: ANN401 (the type differs between versions)
    points = curve.keyframe_points
    for index in reversed(range(len(points))):
        if start - 1e-3 <= points[index].co[0] <= end + 1e-3:
            points.remove(points[index], fast=True)


def _push_down(data: Any) -> None:  # noqa: ANN401 (animation data)
    """The active action becomes a strip on a track of its own on top of the others, as it played until now."""
    action, slot = data.action, data.action_slot
    start, end = action.curve_frame_range
    track = data.nla_tracks.new()
    track.name = action.name
    strip = track.strips.new(action.name, int(start), action)
    if slot:
        strip.action_slot = slot
    strip.action_frame_start, strip.action_frame_end = start, max(end, start + 1.0)
    strip.frame_start_ui = start
    strip.blend_type, strip.influence = data.action_blend_type, data.action_influence
    strip.extrapolation = data.action_extrapolation
    data.action = None


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


def _write_keys(curve: Any, frames: Array, values: Array, sides: tuple[Array, Array] | None) -> None:  # noqa: ANN401 (the type differs between versions)
    """Adds keys to those that the curve has; none of them may be at these frames. `sides` are the handles (K, 2)."""
    points = curve.keyframe_points
    before = len(points)
    points.add(len(values))
    interpolation = _CONSTANT if len(values) < 2 else _LINEAR if sides is None else _BEZIER
    new: dict[str, Any] = {
        "co": np.stack((frames, values), axis=1).astype(np.float32),
        "interpolation": np.full(len(values), interpolation, dtype=np.int32),
    }
    if sides is not None and len(values) > 1:
        for name, places in zip(("handle_left", "handle_right"), sides, strict=True):
            new[f"{name}_type"] = np.full(len(values), _ALIGNED, dtype=np.int32)
            new[name] = places.astype(np.float32)
    for name, added in new.items():
        every = np.empty((before + len(values), *added.shape[1:]), added.dtype)
        if before:
            points.foreach_get(name, every.reshape(-1))
        every[before:] = added
        points.foreach_set(name, every.ravel())
    curve.update()
