# SPDX-License-Identifier: GPL-3.0-or-later
"""The bones of a rig -> Motion. Pure numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..shared import Motion, contacts, rotations, skeleton
from ..shared import quaternions as quat
from .body import ANKLE_HEIGHT, measure
from .joints import local_rotations, world_rotations
from .stance import in_one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .bone_map import BoneMap
    from .rest_pose import RestPose

    Array = NDArray[np.floating[Any]]

_HIPS: Final = [skeleton.INDEX["left_hip"], skeleton.INDEX["right_hip"]]


def capture(rest: RestPose, bone_map: BoneMap, matrices: Array, fps: float) -> Motion:
    """The motion that the mapped bones show, on the canonical skeleton.

    `matrices` (T, N, 4, 4) are the posed bones in armature space, in the order of `rest.names`. A joint without a
    bone goes along with its parent. Height and travel are measured at the hips, in lengths of our legs.
    """
    body = measure(rest, bone_map)
    rest = body.rest
    frames = len(matrices)
    still = np.zeros((frames, len(skeleton.JOINTS), 4))
    still[..., 0] = 1.0
    turned = {joint: quat.from_matrix(_without_scale(matrices[:, bone, :3, :3])) for joint, bone in body.joints.items()}
    world = world_rotations(body, body.joints, turned, still)
    local = quat.continuous(quat.unit(local_rotations(world)))

    heads = matrices[..., :3, 3][:, [body.joints["left_hip"], body.joints["right_hip"]]].mean(axis=1)
    hips = ((heads - body.ground) @ body.axes - [0.0, body.ankle_height, 0.0]) / body.scale + [0.0, ANKLE_HEIGHT, 0.0]
    root = hips - rotations.forward_kinematics(local, np.zeros((frames, 3)))[:, _HIPS].mean(axis=1)
    positions = rotations.forward_kinematics(local, root).astype(np.float32)
    if rest.bound and in_one_line({joint: rest.bound.heads[bone] for joint, bone in body.joints.items()}):
        # How limbs twist is anybody's guess where the rest pose does not tell.
        local = rotations.rotations_from_positions(positions)
        positions = rotations.forward_kinematics(local, root).astype(np.float32)
    return Motion(
        fps,
        positions,
        local.astype(np.float32),
        root.astype(np.float32),
        contacts.detect_contacts(positions, fps),
    )


def _without_scale(matrices: Array) -> Array:
    return matrices / np.maximum(np.linalg.norm(matrices, axis=-2, keepdims=True), 1e-12)
