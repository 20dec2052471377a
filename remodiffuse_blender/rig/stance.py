# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures whose rest pose is not how they are meant to stand: the animator says so, or nobody could stand like that.

Many motion files lay all bones into one line at rest. Such an armature is put into the T-pose bone by bone, and from
then on it is looked at as it stands.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat
from ..shared import skeleton
from .axes import TO_BLENDER
from .chains import ancestors
from .pose import Pose

if TYPE_CHECKING:
    from .rest_pose import RestPose

Array = NDArray[np.floating[Any]]

_IN_LINE: Final = 0.97  # cosine
_OFFSETS: Final = skeleton.REST_OFFSETS
_INDEX: Final = skeleton.INDEX
_LIMBS: Final = (("hip", "knee"), ("knee", "ankle"), ("ankle", "foot"), ("shoulder", "elbow"), ("elbow", "wrist"))


def standing(rest: RestPose, turns: dict[int, Array]) -> RestPose:
    """The armature with bones turned (4; against their rest pose, armature axes) and what they carry along."""
    if not turns:
        return rest
    pose = Pose(rest, 1)
    for bone, turn in turns.items():
        pose.turned[bone] = quat.multiply(turn, pose.rest_rotation(bone))[None]
    bones = range(len(rest.names))
    heads = np.concatenate([pose.head(bone) for bone in bones])
    turned = np.concatenate([pose.turn(bone) for bone in bones])
    matrices = rest.matrices.copy()
    matrices[:, :3, :3] = quat.to_matrix(turned) @ rest.matrices[:, :3, :3]
    matrices[:, :3, 3] = heads
    tails = heads + quat.rotate(turned, rest.tails - rest.heads)
    return replace(rest, matrices=matrices, tails=tails, bound=rest.bound or rest)


def in_one_line(head: dict[str, Array]) -> bool:
    """Whether limbs and trunk (joint positions of a complete map) all lie along one direction, as nobody stands."""
    pairs = [(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in _LIMBS]
    pairs += [("pelvis", "head")]
    steps = np.array([head[b] - head[a] for a, b in pairs if a in head and b in head])
    line = quat.unit(head["left_knee"] - head["left_hip"])
    return bool((np.abs(quat.unit(steps) @ line) > _IN_LINE).all())


def t_pose(rest: RestPose, joints: dict[str, int]) -> dict[int, Array]:
    """Turns (4) of the mapped bones that put the armature into the T-pose, upright in the world and facing -Y.

    Pelvis and chest are told from where the limbs start, everything else by the way to the next joint.
    """
    head = {joint: rest.heads[bone] for joint, bone in joints.items()}
    size = np.linalg.norm(rest.world[:3, :3], axis=0)
    upright = (rest.world[:3, :3] / np.maximum(size, 1e-12)).T @ TO_BLENDER
    chest = next(joint for joint in ("spine3", "spine2", "spine1") if joint in joints)
    top = "neck" if "neck" in joints else "head"
    arms = "collar" if "left_collar" in joints else "shoulder"
    frames = {
        "pelvis": _frame(head["left_hip"] - head["right_hip"], head[chest] - head["pelvis"]),
        chest: _frame(head[f"left_{arms}"] - head[f"right_{arms}"], head[top] - head[chest]),
    }
    turns: dict[str, Array] = {}
    for joint in skeleton.JOINTS:
        if joint not in joints:
            continue
        if joint in frames or joint.startswith("spine"):
            turns[joint] = quat.from_matrix(upright @ frames.get(joint, frames[chest]).T)
            continue
        above = turns[next(one for one in ancestors(joint) if one in turns)]
        turns[joint] = above
        if (after := _next(joint)) in joints:
            along = quat.unit(quat.rotate(above, head[after] - head[joint]))
            wanted = quat.unit(upright @ _OFFSETS[_INDEX[after]])
            turns[joint] = quat.multiply(quat.between(along, wanted), above)
    return {joints[joint]: turn for joint, turn in turns.items()}


def _frame(left: Array, up: Array) -> Array:
    """Left, up and forwards (3, 3) as columns."""
    side = quat.unit(left)
    upwards = quat.unit(up - (up @ side) * side)
    return np.stack((side, upwards, np.cross(side, upwards)), axis=1)


def _next(joint: str) -> str:
    """The joint that a joint's bone leads to."""
    return next((skeleton.JOINTS[c] for c, p in enumerate(skeleton.PARENTS) if p == _INDEX[joint]), "")
