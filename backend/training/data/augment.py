# SPDX-License-Identifier: GPL-3.0-or-later
"""More motion from the motion there is: mirror, reverse, travel, curve, another clip's arm."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...motion.features import smooth
from ...motion.sequence import positions_of, rows_of
from ...motion.skeleton import FPS, INDEX, MIRROR, with_bone_lengths
from .canonical import grounded

Array = NDArray[np.floating[Any]]

_LEGS: Final = ("pelvis", "hip", "knee", "ankle", "foot")
_TRUNK: Final = {
    INDEX[name]: {"spine1": 1 / 3, "spine2": 2 / 3}.get(name, 1.0) for name in INDEX if not name.endswith(_LEGS)
}
"""How much of a twist each joint above the pelvis takes part in."""


def mirrored(positions: Array) -> Array:
    """Left and right exchanged (the plane X = 0)."""
    return positions[:, list(MIRROR)] * [-1.0, 1.0, 1.0]


def reversed_in_time(positions: Array) -> Array:
    return grounded(positions[::-1])


def travelling(positions: Array, speed: float = 0.0) -> Array:
    """A treadmill cycle made to travel: forward at `speed` m/s, or where that is 0 at the backward speed of the foot
    on the floor.

    The 60th percentile: the planted foot, not the swinging one, and not the rolling toe.
    """
    toes = smooth(positions[:, [INDEX["left_foot"], INDEX["right_foot"]]], 1.0)
    lower = toes[:, :, 1].argmin(axis=1)
    backward = -np.diff(toes[:, :, 2], axis=0)[np.arange(len(toes) - 1), lower[:-1]]
    step = speed / FPS if speed else np.percentile(backward, 60)
    result = positions.copy()
    result[..., 2] += step * np.arange(len(positions))[:, None]
    return result


def curved(positions: Array, degrees: float) -> Array:
    """The same steps along an arc that turns by `degrees` (positive: left) from first to last frame.

    Feet keep their place relative to the body, so they pivot a little while planted; at walking speed that is unseen.
    """
    rows = rows_of(positions)
    rows[:, 0] -= 0.5 * np.radians(degrees) / max(1, len(rows) - 1)
    return positions_of(rows)


def with_arm(base: Array, donor: Array, side: str) -> Array:
    """The clip `base` with one arm moving as in `donor`, relative to the chest.

    A donor that is shorter is played to and fro: arms do not mind which way time runs.
    """
    there_and_back = np.concatenate([np.arange(len(donor)), np.arange(len(donor) - 2, 0, -1)])
    donor = donor[np.resize(there_and_back, len(base))]
    result = base.copy()
    turn = chest_frames(base) @ chest_frames(donor).transpose(0, 2, 1)
    shoulder = INDEX[f"{side}_shoulder"]
    for joint in (INDEX[f"{side}_elbow"], INDEX[f"{side}_wrist"]):
        offset = donor[:, joint] - donor[:, shoulder]
        result[:, joint] = result[:, shoulder] + np.einsum("tij,tj->ti", turn, offset)
    return result


def twisted(positions: Array, degrees: float, seconds: float, phase: float) -> Array:
    """The trunk turned against the pelvis to both sides by up to `degrees`, once to and fro in `seconds`."""
    time = np.arange(len(positions)) / FPS
    angle = np.radians(degrees) * np.sin(2 * np.pi * (time / seconds + phase))
    pelvis = positions[:, :1]
    result = positions.copy()
    for joint, share in _TRUNK.items():
        offset = positions[:, joint] - pelvis[:, 0]
        cosine, sine = np.cos(share * angle), np.sin(share * angle)
        result[:, joint, 0] = pelvis[:, 0, 0] + cosine * offset[:, 0] + sine * offset[:, 2]
        result[:, joint, 2] = pelvis[:, 0, 2] - sine * offset[:, 0] + cosine * offset[:, 2]
    return with_bone_lengths(result)


def chest_frames(positions: Array) -> Array:
    """(T, 3, 3): columns point to the chest's left, up and forward."""
    left = positions[:, INDEX["left_shoulder"]] - positions[:, INDEX["right_shoulder"]]
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    up = positions[:, INDEX["neck"]] - positions[:, INDEX["spine3"]]
    up -= left * (up * left).sum(-1, keepdims=True)
    up /= np.linalg.norm(up, axis=-1, keepdims=True)
    return np.stack([left, up, np.cross(left, up)], axis=-1)
