# SPDX-License-Identifier: GPL-3.0-or-later
"""The bones of a rig -> Motion: what `solve` does, the other way round. Pure numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..shared import Motion, contacts, rotations, skeleton
from ..shared import quaternions as quat
from .body import ANKLE_HEIGHT, measure

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
    frames = len(matrices)
    axes = quat.from_matrix(body.axes)
    back = quat.conjugate(axes)
    world = np.empty((frames, len(skeleton.JOINTS), 4))
    for index, (joint, parent) in enumerate(zip(skeleton.JOINTS, skeleton.PARENTS, strict=True)):
        bone = body.joints.get(joint)
        if bone is None:
            world[:, index] = world[:, parent] if parent >= 0 else [1.0, 0.0, 0.0, 0.0]
            continue
        turn = quat.multiply(
            quat.from_matrix(_without_scale(matrices[:, bone, :3, :3])),
            quat.conjugate(quat.from_matrix(_without_scale(rest.matrices[bone, :3, :3]))),
        )
        canonical = quat.multiply(quat.multiply(back, turn), axes)
        world[:, index] = quat.multiply(canonical, quat.conjugate(body.corrections[joint]))
    local = world.copy()
    for index, parent in enumerate(skeleton.PARENTS):
        if parent >= 0:
            local[:, index] = quat.multiply(quat.conjugate(world[:, parent]), world[:, index])
    local = quat.continuous(quat.unit(local))

    heads = matrices[..., :3, 3][:, [body.joints["left_hip"], body.joints["right_hip"]]].mean(axis=1)
    hips = ((heads - body.ground) @ body.axes - [0.0, body.ankle_height, 0.0]) / body.scale + [0.0, ANKLE_HEIGHT, 0.0]
    root = hips - rotations.forward_kinematics(local, np.zeros((frames, 3)))[:, _HIPS].mean(axis=1)
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
