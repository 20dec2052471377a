# SPDX-License-Identifier: GPL-3.0-or-later
"""How well a rig follows a motion, as a table of numbers. Pure numpy; the poses are what Blender makes of the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat
from ..shared import rotations, skeleton
from .body import LEG_LENGTH
from .joints import local_rotations, world_rotations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..shared import Motion
    from .body import Body

Array = NDArray[np.floating[Any]]

TITLES: Final = {
    "direction_mean_degrees": "Limbs off by, mean (degrees)",
    "direction_max_degrees": "Limbs off by, at most (degrees)",
    "joints_mean_percent": "Joints off by, mean (% of leg)",
    "step_max_degrees": "Fastest turn in a frame (degrees)",
    "source_step_max_degrees": "The same in the motion (degrees)",
    "foot_slide_mean_cm_s": "Standing feet slide, mean (cm/s)",
    "foot_height_max_cm": "Standing toes off the floor (cm)",
    "knees_backwards_frames": "Frames with a knee bent backwards",
    "travel_percent": "Way of the hips (% of the motion's)",
}
"""Every number that a table may hold, in words. Lengths are scaled to the motion's figure by the leg's length."""

_INDEX: Final = skeleton.INDEX
_SEGMENTS: Final = (
    *(
        (f"{side}_{start}", f"{side}_{end}")
        for side in ("left", "right")
        for start, end in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
    ),
    *(("spine1", "neck"), ("neck", "head")),
)
_HELD: Final = 0.6
_FEET: Final = ("left_ankle", "left_foot", "right_ankle", "right_foot")
_LEAST_WAY: Final = 0.3  # metres: what goes nowhere has no way to compare
_LEVEL: Final = [0, 2]


def following(body: Body, bones: Mapping[str, str], poses: Mapping[str, Array], motion: Motion) -> dict[str, float]:
    """How the rig follows the motion that it was given. `poses` (T, 4, 4) are matrices in armature space by joint, one
    for each of the motion's frames; `bones` names the bones that they belong to.
    """
    place, turned = _places(body, poses), _turns(poses)
    source = {joint: motion.positions[:, _INDEX[joint]].astype(np.float64) for joint in poses}
    segments = [(a, b) for a, b in _SEGMENTS if a in poses and b in poses]
    angles = np.stack([_angle(place[b] - place[a], source[b] - source[a]) for a, b in segments])
    back = _back_on_the_canonical_skeleton(body, bones, turned, motion)
    table = {
        "direction_mean_degrees": angles.mean(),
        "direction_max_degrees": angles.max(),
        "joints_mean_percent": 100.0 * np.linalg.norm(back - motion.positions, axis=-1).mean() / LEG_LENGTH,
        "source_step_max_degrees": _fastest(np.moveaxis(rotations.world_rotations(motion.rotations), 1, 0)),
    }
    ways = [_way(each) for each in (place, source)]
    if ways[1] > _LEAST_WAY:
        table["travel_percent"] = 100.0 * ways[0] / ways[1]
    return _in_order(table | standing(body, poses, motion.contacts, motion.fps))


def standing(body: Body, poses: Mapping[str, Array], contacts: Array, fps: float) -> dict[str, float]:
    """What can be said of any animation: `poses` (T, 4, 4) as in `following`, `contacts` (T, 4) say which feet stand.

    Numbers of feet are left out where none stands.
    """
    place = _places(body, poses)
    speeds, heights = [np.zeros(0)], [np.zeros(0)]
    for channel, joint in enumerate(_FEET):
        held, toe = contacts[:, channel] > _HELD, joint.endswith("foot")
        if joint not in poses or (toe and not body.has_toe(joint.partition("_")[0])):
            continue
        speed = np.linalg.norm(np.diff(place[joint][:, _LEVEL], axis=0), axis=-1) * fps
        speeds.append(speed[held[1:] & held[:-1]])
        if toe:
            # A flat foot's toe is as far below its ankle as at rest.
            drop = float(body.flat_foot(joint.partition("_")[0])[1])
            heights.append(np.abs(place[joint][held, 1] - (body.ankle_height + drop) / body.scale))
    slide, height = np.concatenate(speeds), np.concatenate(heights)
    table = {
        "step_max_degrees": _fastest(list(_turns(poses).values())),
        "knees_backwards_frames": float(sum(_backwards(place, side) for side in ("left", "right"))),
    }
    table |= {"foot_slide_mean_cm_s": 100.0 * slide.mean()} if len(slide) else {}
    table |= {"foot_height_max_cm": 100.0 * height.max()} if len(height) else {}
    return _in_order(table)


def _in_order(table: dict[str, Any]) -> dict[str, float]:
    return {name: float(table[name]) for name in TITLES if name in table}


def _places(body: Body, poses: Mapping[str, Array]) -> dict[str, Array]:
    """Heads (T, 3) in canonical axes and metres of the canonical figure."""
    return {joint: (matrices[:, :3, 3] - body.ground) @ body.axes / body.scale for joint, matrices in poses.items()}


def _turns(poses: Mapping[str, Array]) -> dict[str, Array]:
    """Rotations (T, 4) in armature space, without scale."""
    parts = {joint: matrices[:, :3, :3] for joint, matrices in poses.items()}
    return {
        joint: quat.from_matrix(part / np.linalg.norm(part, axis=1, keepdims=True)) for joint, part in parts.items()
    }


def _way(place: Mapping[str, Array]) -> float:
    """From where the hips begin to where they end, along the ground."""
    hips = (place["left_hip"] + place["right_hip"]) / 2.0
    return float(np.linalg.norm((hips[-1] - hips[0])[_LEVEL]))


def _back_on_the_canonical_skeleton(
    body: Body, bones: Mapping[str, str], turned: Mapping[str, Array], motion: Motion
) -> Array:
    """Joint positions (T, 22, 3) of the canonical skeleton in the pose of the rig. What the rig has no bone for is as
    in the motion.
    """
    indices = {joint: body.rest.index[bone] for joint, bone in bones.items()}
    world = world_rotations(body, indices, turned, motion.rotations.astype(np.float64))
    return rotations.forward_kinematics(local_rotations(world), motion.root)


def _angle(one: Array, other: Array) -> Array:
    """Degrees between vectors."""
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(one, other), axis=-1), np.sum(one * other, axis=-1)))


def _fastest(turns: Array | list[Array]) -> float:
    """The most degrees that any of the rotations (N, T, 4) turns from one frame to the next."""
    every = np.asarray(turns)
    if every.shape[1] < 2:
        return 0.0
    steps = quat.angle(quat.multiply(quat.conjugate(every[:, 1:]), every[:, :-1]))
    return float(np.degrees(steps).max())


def _backwards(place: Mapping[str, Array], side: str) -> int:
    """Frames in which the knee is behind the line from hip to ankle, seen from where the pelvis faces."""
    hip, knee, ankle = (place[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
    line = quat.unit(ankle - hip)
    bulge = (knee - hip) - np.sum((knee - hip) * line, axis=-1, keepdims=True) * line
    left = place["left_hip"] - place["right_hip"]
    return int(np.sum(np.sum(bulge * np.cross(left, -line), axis=-1) < -1e-3 * LEG_LENGTH))
