# SPDX-License-Identifier: GPL-3.0-or-later
"""The canonical skeleton: 22 joints in SMPL order, metres, Y up, facing +Z, +X is the body's left.

Every motion in the project is expressed on this skeleton. Its proportions are ours: round numbers for an adult of
1.7 m, standing with the toes 2 cm above the floor at Y = 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

JOINTS: Final[tuple[str, ...]] = (
    "pelvis",
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
)
INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(JOINTS)}

PARENTS: Final[tuple[int, ...]] = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)

# Left ankle, left toe, right ankle, right toe: the order of the four contact channels everywhere.
CONTACT_JOINTS: Final[tuple[int, ...]] = (7, 10, 8, 11)

# Index of each joint's mirror image: left_hip <-> right_hip, the spine stays.
MIRROR: Final[tuple[int, ...]] = tuple(
    INDEX[
        name.replace("left_", "right_")
        if name.startswith("left_")
        else name.replace("right_", "left_")
        if name.startswith("right_")
        else name
    ]
    for name in JOINTS
)

FPS: Final[float] = 20.0

TOE_HEIGHT: Final[float] = 0.02
"""Height of the toe joints above the floor when a foot stands flat, metres."""

REST_OFFSETS: Final[NDArray[np.float64]] = np.array(
    [
        [0.0, 0.94, 0.0],  # pelvis: its height above the floor in the rest pose
        [0.09, -0.075, 0.0],
        [-0.09, -0.075, 0.0],
        [0.0, 0.10, 0.0],
        [0.0, -0.39, 0.0],
        [0.0, -0.39, 0.0],
        [0.0, 0.12, 0.0],
        [0.0, -0.40, 0.0],
        [0.0, -0.40, 0.0],
        [0.0, 0.10, 0.0],
        [0.0, -0.055, 0.12],
        [0.0, -0.055, 0.12],
        [0.0, 0.18, 0.0],
        [0.05, 0.13, 0.0],
        [-0.05, 0.13, 0.0],
        [0.0, 0.10, 0.02],
        [0.13, 0.015, 0.0],
        [-0.13, 0.015, 0.0],
        [0.27, 0.0, 0.0],
        [-0.27, 0.0, 0.0],
        [0.25, 0.0, 0.0],
        [-0.25, 0.0, 0.0],
    ]
)
"""(22, 3) metres: each joint from its parent in the T-pose (the pelvis from the floor)."""

BONE_LENGTHS: Final[NDArray[np.float64]] = np.linalg.norm(REST_OFFSETS, axis=1)
"""(22,) metres; entry 0 is the pelvis's rest height, not a bone."""


def rest_positions() -> NDArray[np.float64]:
    """(22, 3) metres: the joints of the canonical T-pose, standing on the floor."""
    positions = REST_OFFSETS.copy()
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            positions[joint] += positions[parent]
    return positions


def with_bone_lengths(positions: NDArray[np.floating]) -> NDArray[np.float64]:
    """Positions (T, 22, 3) with every bone at its canonical length; directions and the pelvis are kept."""
    result = positions.astype(np.float64)
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            bone = positions[:, joint] - positions[:, parent]
            length = np.maximum(np.linalg.norm(bone, axis=-1, keepdims=True), 1e-9)
            result[:, joint] = result[:, parent] + BONE_LENGTHS[joint] * bone / length
    return result
