# SPDX-License-Identifier: GPL-3.0-or-later
"""Rest poses made in memory: the canonical figure with other names, other parents, more bones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.motion.skeleton import JOINTS, PARENTS, rest_positions
from remodiffuse_blender.rig.axes import TO_BLENDER
from remodiffuse_blender.rig.rest_pose import RestPose

Array = NDArray[Any]

MIXAMO = {"pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2", "neck": "Neck", "head": "Head"}
MIXAMO |= {
    f"{side}_{part}": f"{side.title()}{word}"
    for side in ("left", "right")
    for part, word in (
        *(("hip", "UpLeg"), ("knee", "Leg"), ("ankle", "Foot"), ("foot", "ToeBase")),
        *(("collar", "Shoulder"), ("shoulder", "Arm"), ("elbow", "ForeArm"), ("wrist", "Hand")),
    )
}


@dataclass
class Bone:
    head: Array
    parent: str


def person() -> dict[str, Bone]:
    """The 22 joints as bones under their own names, standing in Blender's axes."""
    heads = rest_positions() @ TO_BLENDER.T
    # Straight limbs tell nothing; a natural stance has a little bend in knees and elbows.
    for joint, forwards in (("knee", -0.02), ("elbow", 0.02)):
        for side in ("left", "right"):
            heads[JOINTS.index(f"{side}_{joint}"), 1] += forwards
    return {
        name: Bone(heads[index], JOINTS[parent] if parent >= 0 else "")
        for index, (name, parent) in enumerate(zip(JOINTS, PARENTS, strict=True))
    }


def renamed(bones: dict[str, Bone], names: dict[str, str]) -> dict[str, Bone]:
    """The same bones under other names; those without a new name are dropped, their children move up."""

    def kept(name: str) -> str:
        while name and name not in names:
            name = bones[name].parent
        return names.get(name, "")

    return {names[name]: Bone(bone.head, kept(bone.parent)) for name, bone in bones.items() if name in names}


def rest_pose(bones: dict[str, Bone]) -> RestPose:
    """Bones in any order, all with the armature's axes."""
    order = [name for name, bone in bones.items() if not bone.parent]
    for name in order:
        order.extend(child for child, bone in bones.items() if bone.parent == name)
    parents = tuple(order.index(bones[name].parent) if bones[name].parent else -1 for name in order)
    matrices = np.tile(np.eye(4), (len(order), 1, 1))
    matrices[:, :3, 3] = [bones[name].head for name in order]
    count = len(order)
    return RestPose(
        names=tuple(order),
        parents=parents,
        matrices=matrices,
        tails=matrices[:, :3, 3] + [0.0, 0.1, 0.0],
        world=np.eye(4),
        carriers=parents,
        copies=(False,) * count,
        inherit_rotation=(True,) * count,
        local_location=(True,) * count,
        connected=(False,) * count,
        deform=(True,) * count,
        rotation_modes=("QUATERNION",) * count,
    )
