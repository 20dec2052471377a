# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit quaternions in the rotation mode that a bone has, without jumps in time."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat

Array = NDArray[np.floating[Any]]

PROPERTIES: Final = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
"""Rotation mode -> property of the pose bone; every other mode is an order of Euler angles."""

_EVEN: Final = ("XYZ", "YZX", "ZXY")


def property_of(mode: str) -> str:
    """The animated property of a pose bone with this rotation mode."""
    return PROPERTIES.get(mode, "rotation_euler")


def in_modes(rotations: Array, modes: list[str]) -> list[Array]:
    """Rotations (T, N, 4) of N bones as one array a bone: (T, 4) for quaternions and axis-angle, (T, 3) for Euler."""
    rotations = quat.continuous(rotations)
    euler = [index for index, mode in enumerate(modes) if mode not in PROPERTIES]
    angles = dict(zip(euler, _euler(rotations[:, euler], [modes[i] for i in euler]).swapaxes(0, 1), strict=True))
    return [
        angles[index]
        if index in angles
        else _axis_angle(rotations[:, index])
        if mode == "AXIS_ANGLE"
        else rotations[:, index]
        for index, mode in enumerate(modes)
    ]


def _euler(rotations: Array, orders: list[str]) -> Array:
    """(T, N, 4) -> (T, N, 3) radians about X, Y, Z; of the two solutions always the one nearer to the frame before.

    Blender's order "XYZ" turns about X first: the matrix is Rz Ry Rx.
    """
    first, second, third = (np.array(["XYZ".index(order[n]) for order in orders], dtype=int) for n in range(3))
    sign = np.where([order in _EVEN for order in orders], 1.0, -1.0)
    m = quat.to_matrix(rotations)
    bones = np.arange(len(orders))
    entry = {
        (row, column): m[:, bones, axis, other]
        for row, axis in enumerate((first, second, third))
        for column, other in enumerate((first, second, third))
    }
    b = np.arcsin(np.clip(-sign * entry[2, 0], -1.0, 1.0))
    a = np.arctan2(sign * entry[2, 1], entry[2, 2])
    c = np.arctan2(sign * entry[1, 0], entry[0, 0])
    solution = np.stack((a, b, c), axis=-1)
    # At a right angle of the middle axis only a sum of the other two is defined; all of it goes to the last one.
    locked = np.hypot(entry[0, 0], entry[1, 0]) < 1e-6
    alone = np.stack((np.zeros_like(a), b, np.arctan2(-sign * entry[0, 1], entry[1, 1])), axis=-1)
    solution = np.where(locked[..., None], alone, solution)
    other = np.stack((solution[..., 0] + np.pi, np.pi - solution[..., 1], solution[..., 2] + np.pi), axis=-1)

    # Whether the other solution follows the one before it more closely is the same whichever that one is.
    flips = _apart(other[1:], solution[:-1]) < _apart(solution[1:], solution[:-1])
    start = _apart(other[:1], 0.0) < _apart(solution[:1], 0.0)
    swapped = np.concatenate((start, flips)).cumsum(axis=0) % 2 == 1
    chosen = np.where(swapped[..., None], other, solution)
    chosen[0] -= 2.0 * np.pi * np.round(chosen[0] / (2.0 * np.pi))
    chosen = np.unwrap(chosen, axis=0)

    angles = np.empty_like(chosen)
    for n, axis in enumerate((first, second, third)):
        angles[:, bones, axis] = chosen[..., n]
    return angles


def _apart(one: Array, other: Array | float) -> Array:
    """How far sets of three angles (..., 3) are apart, whole turns aside."""
    turn = 2.0 * np.pi
    return np.abs(one - other - turn * np.round((one - other) / turn)).sum(axis=-1)


def _axis_angle(rotations: Array) -> Array:
    """(T, 4) quaternions -> (T, 4) angle, x, y, z; the axis keeps its side, so the angle may become negative."""
    vector = rotations[:, 1:]
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    known = length[:, 0] > 1e-9
    if not known.any():
        return np.tile([0.0, 0.0, 1.0, 0.0], (len(rotations), 1))
    # Where there is no turn the axis of the last frame with one stays (of the first one, at the start).
    last = np.maximum.accumulate(np.where(known, np.arange(len(vector)), np.argmax(known)))
    axis = quat.unit(vector)[last]
    sides = np.where(np.sum(axis[1:] * axis[:-1], axis=-1, keepdims=True) < 0.0, -1.0, 1.0)
    side = np.concatenate((np.ones((1, 1)), sides)).cumprod(axis=0)
    angle = 2.0 * np.arctan2(length, rotations[:, :1]) * side
    return np.concatenate((angle, axis * side), axis=-1)
