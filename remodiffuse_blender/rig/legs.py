# SPDX-License-Identifier: GPL-3.0-or-later
"""Legs fitted to the rig's proportions: a foot in contact stays where it is, as the motion's foot does.

The legs point where the motion's legs point. On a rig with other proportions the feet then slide a little while they
stand. So for as long as a foot stands, the point that it stands on (the ankle, or the toe once the heel is up) is made
to move exactly as the motion's does, which for a motion with locked feet means not at all. A foot in the air goes its
own way, but not through the floor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat
from ..shared import skeleton
from .body import ANKLE_HEIGHT

if TYPE_CHECKING:
    from .body import Body
    from .pose import Pose
    from .source import Source

Array = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

_STRETCH: Final = 0.9995  # of the leg's length
_ROLL: Final = float(np.sin(np.radians(12.0)))  # a foot that points this much further down stands on its toe alone
_BLEND: Final = 0.2  # seconds in which a correction comes and goes
_DIP: Final = 0.15  # seconds in which the hips are lowered and raised again
_DEEPEST: Final = 0.1  # metres that the hips are lowered at most
_GROUND: Final = np.array([1.0, 0.0, 1.0])


def lock_feet(body: Body, pose: Pose, source: Source, hips: int, strength: float) -> None:
    """Turns thighs and shins a little further, in place, so that feet stand; a foot itself keeps its rotation.

    The bend plane is kept, the reach is clamped, and corrections fade in and out around each contact. Where a leg is
    too short for its foot the bone `hips`, that carries them, is lowered a little. Nothing changes on a rig with the
    motion's own proportions.
    """
    if strength <= 0.0:
        return
    legs = {}
    for side in ("left", "right"):
        hip, knee, ankle = (body.joints[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
        heads = body.rest.heads
        thigh = quat.rotate(pose.turn(hip), heads[knee] - heads[hip])
        shin = quat.rotate(pose.turn(knee), heads[ankle] - heads[knee])
        shift = strength * _shift(body, pose, source, side, pose.head(hip) + thigh + shin) * body.scale
        legs[side] = thigh, shin, thigh + shin + shift @ body.to_armature.T
    up = body.to_armature[:, 1]
    drop = np.max([_too_far(source, side, up, *leg) for side, leg in legs.items()], axis=0)
    drop = np.minimum(_eased(drop, max(1, round(_DIP * source.fps))), _DEEPEST * body.scale)[:, None] * up
    pose.place(hips, pose.placed[hips] - drop)
    for side, (thigh, shin, wanted) in legs.items():
        _reach(body, pose, side, thigh, shin, wanted + drop)


def _too_far(source: Source, side: str, up: Array, thigh: Array, shin: Array, wanted: Array) -> Array:
    """How much (T) the hips are too high for a foot that stands."""
    longest = _longest(thigh, shin)[:, 0]
    height = wanted @ up
    aside = np.linalg.norm(wanted - height[:, None] * up, axis=1)
    excess = -height - np.sqrt(np.maximum(longest**2 - aside**2, 0.0))
    standing = (source.contacts[:, _channels(side)] > 0.5).any(axis=1)
    return np.where(standing & (aside < longest), np.maximum(excess, 0.0), 0.0)


def _eased(track: Array, width: int) -> Array:
    """A smooth track (T) that is nowhere below the given one."""
    if not track.any():
        return track
    padded = np.pad(track, 2 * width, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * width + 1).max(axis=1)
    window = np.hanning(2 * width + 3)[1:-1]
    return np.convolve(highest, window / window.sum(), mode="valid")


def _shift(body: Body, pose: Pose, source: Source, side: str, ankles: Array) -> Array:
    """What a foot has to be moved by (T, 3), canonical axes and metres, given the ankles (T, 3) in armature space."""
    channels = _channels(side)
    wanted = [source.feet[:, channel] for channel in channels]
    foot = _foot(body, pose, source, side)
    ankle = (ankles - body.origin) @ body.to_armature / body.scale
    toe = ankle + foot
    off = [ankle - wanted[0], toe - wanted[1]]
    held = [source.contacts[:, channel] > 0.5 for channel in channels]
    standing = held[0] | held[1]

    # Along the ground the foot moves as its pivot does in the motion; where it stands on the whole is its own choice.
    steps = np.zeros_like(ankle)
    on_ankle, on_toe = (each[1:] & each[:-1] for each in held)
    pivots = [(off[0], on_ankle), (off[1], on_toe)]  # the later one wins
    if source.labelled and not body.has_toe(side):
        # Such a rig rolls off no toe: its ankle stays, though the motion's swings about the toe.
        pivots = [(off[1], on_toe), (ankle, on_ankle)]
    for pivot, on in pivots:
        steps[1:][on] = -np.diff(pivot, axis=0)[on]
    shift = np.zeros_like(ankle)
    for run in _runs(standing):
        way = np.cumsum(steps[run], axis=0)
        way -= way[0]
        shift[run] = (way - np.median(way, axis=0)) * _GROUND

    # Upwards the floor decides: under the sole, or under the toe alone when the heel is up.
    flat = [body.ankle_height / body.scale - ANKLE_HEIGHT, _toe_height(body, side) - skeleton.TOE_HEIGHT]
    up = [level - each[:, 1] for level, each in zip(flat, off, strict=True)]
    direction = wanted[1] - wanted[0]
    down = skeleton.REST_OFFSETS[skeleton.INDEX[f"{side}_foot"], 1] - direction[:, 1]
    roll = _smoothstep(down / (np.maximum(np.linalg.norm(direction, axis=1), 1e-9) * _ROLL))
    shift[:, 1] = np.where(standing, up[0] + roll * (up[1] - up[0]), 0.0)

    for start, stop in _gaps(standing):
        _bridge(shift, start, stop, max(1, round(_BLEND * source.fps)))
    # In the air: never deeper in the floor than the motion's own foot.
    for point, rest, joint in ((ankle, flat[0] + ANKLE_HEIGHT, 0), (toe, flat[1] + skeleton.TOE_HEIGHT, 1)):
        deep = np.minimum(wanted[joint][:, 1] - (ANKLE_HEIGHT, skeleton.TOE_HEIGHT)[joint], 0.0)
        lift = np.maximum(rest + deep - (point[:, 1] + shift[:, 1]), 0.0)
        shift[:, 1] += np.where(standing, 0.0, lift)
    return shift


def _channels(side: str) -> tuple[int, int]:
    """Ankle and toe in the order of `skeleton.CONTACT_JOINTS`."""
    return (0, 1) if side == "left" else (2, 3)


def _foot(body: Body, pose: Pose, source: Source, side: str) -> Array:
    """From ankle to toe (T, 3) as the rig has it; as the motion has it where the rig has no toe."""
    if not body.has_toe(side):
        ankle, toe = _channels(side)
        return source.feet[:, toe] - source.feet[:, ankle]
    foot, toe = body.joints[f"{side}_ankle"], body.joints[f"{side}_foot"]
    rest = body.rest.heads[toe] - body.rest.heads[foot]
    return quat.rotate(pose.turn(foot), rest) @ body.to_armature / body.scale


def _toe_height(body: Body, side: str) -> float:
    """Of a flat foot, canonical metres."""
    if not body.has_toe(side):
        return body.ankle_height / body.scale - ANKLE_HEIGHT + skeleton.TOE_HEIGHT
    return (body.ankle_height + float(body.flat_foot(side)[1])) / body.scale


def _reach(body: Body, pose: Pose, side: str, thigh: Array, shin: Array, wanted: Array) -> None:
    """Two-bone inverse kinematics: thigh and shin (T, 3) are turned, in place, so that together they are `wanted`."""
    hip, knee = (body.joints[f"{side}_{joint}"] for joint in ("hip", "knee"))
    a, b = (np.linalg.norm(vector, axis=-1, keepdims=True) for vector in (thigh, shin))
    wanted_length = np.linalg.norm(wanted, axis=-1, keepdims=True)
    distance = np.clip(wanted_length, np.abs(a - b), _longest(thigh, shin))
    along = quat.unit(wanted)
    swing = quat.between(quat.unit(thigh + shin), along)
    forwards = quat.rotate(pose.turn(hip), body.axes[:, 2])
    bend = quat.rotate(swing, thigh + 1e-3 * a * forwards)
    bend = quat.unit(bend - np.sum(bend * along, axis=-1, keepdims=True) * along)
    base = (a**2 + distance**2 - b**2) / (2.0 * np.maximum(distance, 1e-9))
    new_thigh = base * along + np.sqrt(np.maximum(a**2 - base**2, 0.0)) * bend
    new_shin = distance * along - new_thigh
    for bone, old, new in ((hip, thigh, new_thigh), (knee, shin, new_shin)):
        pose.turned[bone] = quat.multiply(quat.between(quat.unit(old), quat.unit(new)), pose.turned[bone])


def _longest(thigh: Array, shin: Array) -> Array:
    """How far (T, 1) an ankle can be from its hip, and in any case as far as it is."""
    a, b = (np.linalg.norm(vector, axis=-1, keepdims=True) for vector in (thigh, shin))
    return np.maximum(_STRETCH * (a + b), np.linalg.norm(thigh + shin, axis=-1, keepdims=True))


def _runs(on: Mask) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], on, [False])).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _gaps(standing: Mask) -> list[tuple[int, int]]:
    return [(run.start, run.stop) for run in _runs(~standing)]


def _bridge(shift: Array, start: int, stop: int, blend: int) -> None:
    """Fills the frames between two contacts, in place, with the fade of the one before and that of the one after."""
    frames = np.arange(1, stop - start + 1, dtype=np.float64)[:, None]
    fall = 1.0 - _smoothstep(frames / (min(blend, stop - start) + 1))
    if start > 0:
        shift[start:stop] += shift[start - 1] * fall
    if stop < len(shift):
        shift[start:stop] += shift[stop] * fall[::-1]


def _smoothstep(x: Array) -> Array:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)
