# SPDX-License-Identifier: GPL-3.0-or-later
"""Quaternions as arrays (..., 4) in the order w, x, y, z. Every function broadcasts over the leading axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

_TINY = 1e-12


def unit(vectors: Array) -> Array:
    """Vectors (..., n) of length one; a zero vector stays zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _TINY)


def multiply(a: Array, b: Array) -> Array:
    """The rotation b followed by the rotation a."""
    aw, ax, ay, az = (a[..., n] for n in range(4))
    bw, bx, by, bz = (b[..., n] for n in range(4))
    product = np.empty(np.broadcast_shapes(a.shape, b.shape), dtype=np.result_type(a, b))
    product[..., 0] = aw * bw - ax * bx - ay * by - az * bz
    product[..., 1] = aw * bx + ax * bw + ay * bz - az * by
    product[..., 2] = aw * by - ax * bz + ay * bw + az * bx
    product[..., 3] = aw * bz + ax * by - ay * bx + az * bw
    return product


def conjugate(q: Array) -> Array:
    """The inverse of unit quaternions."""
    return q * np.array([1.0, -1.0, -1.0, -1.0], dtype=q.dtype)


def rotate(q: Array, vectors: Array) -> Array:
    """Vectors (..., 3) turned by unit quaternions (..., 4)."""
    axis = q[..., 1:]
    across = cross(axis, vectors)
    return vectors + 2.0 * (q[..., :1] * across + cross(axis, across))


def cross(a: Array, b: Array) -> Array:
    """The cross product of vectors (..., 3); for short arrays much quicker than numpy's."""
    ax, ay, az = (a[..., n] for n in range(3))
    bx, by, bz = (b[..., n] for n in range(3))
    product = np.empty(np.broadcast_shapes(a.shape, b.shape), dtype=np.result_type(a, b))
    product[..., 0] = ay * bz - az * by
    product[..., 1] = az * bx - ax * bz
    product[..., 2] = ax * by - ay * bx
    return product


def to_matrix(q: Array) -> Array:
    """Rotation matrices (..., 3, 3) of unit quaternions; columns are the turned axes."""
    w, x, y, z = (q[..., n] for n in range(4))
    matrices = np.empty((*q.shape[:-1], 3, 3), dtype=q.dtype)
    matrices[..., 0, 0] = 1 - 2 * (y * y + z * z)
    matrices[..., 0, 1] = 2 * (x * y - w * z)
    matrices[..., 0, 2] = 2 * (x * z + w * y)
    matrices[..., 1, 0] = 2 * (x * y + w * z)
    matrices[..., 1, 1] = 1 - 2 * (x * x + z * z)
    matrices[..., 1, 2] = 2 * (y * z - w * x)
    matrices[..., 2, 0] = 2 * (x * z - w * y)
    matrices[..., 2, 1] = 2 * (y * z + w * x)
    matrices[..., 2, 2] = 1 - 2 * (x * x + y * y)
    return matrices


def from_matrix(matrices: Array) -> Array:
    """Unit quaternions of rotation matrices (..., 3, 3).

    Builds all four candidates q * 4 * q[k] from the matrix entries and keeps the one with the largest pivot.
    """
    m = matrices
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    wx, wy, wz = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]
    candidates = np.stack(
        [
            np.stack((1 + xx + yy + zz, wx, wy, wz), axis=-1),
            np.stack((wx, 1 + xx - yy - zz, xy, xz), axis=-1),
            np.stack((wy, xy, 1 - xx + yy - zz, yz), axis=-1),
            np.stack((wz, xz, yz, 1 - xx - yy + zz), axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(np.diagonal(candidates, axis1=-2, axis2=-1), axis=-1)
    return unit(np.take_along_axis(candidates, best[..., None, None], axis=-2)[..., 0, :])


def between(start: Array, end: Array) -> Array:
    """The smallest rotation that turns unit vectors `start` onto unit vectors `end` (..., 3).

    For opposite vectors any half turn would do; one about an axis perpendicular to `start` is taken.
    """
    start, end = np.broadcast_arrays(start, end)
    dot = np.sum(start * end, axis=-1, keepdims=True)
    q = np.concatenate((1.0 + dot, cross(start, end)), axis=-1)
    helper = np.eye(3)[np.argmin(np.abs(start), axis=-1)]
    half_turn = np.concatenate((np.zeros_like(dot), cross(start, helper)), axis=-1)
    return unit(np.where(dot < -1.0 + 1e-9, half_turn, q))


def about(axis: Array, angle: Array) -> Array:
    """Rotations by `angle` (...) radians about unit vectors `axis` (..., 3)."""
    half = 0.5 * np.asarray(angle)[..., None]
    vector = np.sin(half) * axis
    return np.concatenate((np.broadcast_to(np.cos(half), (*vector.shape[:-1], 1)), vector), axis=-1)


def angle(q: Array) -> Array:
    """The angle (...) of unit quaternions, radians in 0..pi; exact for small angles (no arc cosine)."""
    return 2.0 * np.arctan2(np.linalg.norm(q[..., 1:], axis=-1), np.abs(q[..., 0]))


def slerp(a: Array, b: Array, share: Array | float) -> Array:
    """Spherical interpolation along the shorter way: `share` 0 gives a, 1 gives b. `share` broadcasts to (...)."""
    share = np.asarray(share)[..., None]
    dot = np.sum(a * b, axis=-1, keepdims=True)
    b = np.where(dot < 0.0, -b, b)
    theta = np.arccos(np.clip(np.abs(dot), 0.0, 1.0))
    sine = np.sin(theta)
    near = sine < 1e-6
    safe = np.where(near, 1.0, sine)
    weight_a = np.where(near, 1.0 - share, np.sin((1.0 - share) * theta) / safe)
    weight_b = np.where(near, share, np.sin(share * theta) / safe)
    return unit(weight_a * a + weight_b * b)


def continuous(q: Array) -> Array:
    """The same rotations (T, ..., 4) with signs chosen so that neighbours in time lie in the same half-space."""
    if len(q) == 0:
        return q
    flips = np.where(np.sum(q[1:] * q[:-1], axis=-1) < 0.0, -1.0, 1.0)
    signs = np.concatenate((np.where(q[:1, ..., 0] < 0.0, -1.0, 1.0), flips)).cumprod(axis=0)
    return q * signs[..., None].astype(q.dtype)


def resample(q: Array, times: Array) -> Array:
    """Rotations (T, ..., 4) at fractional frame numbers `times` (N), by spherical interpolation, ends held."""
    times = np.clip(times, 0.0, len(q) - 1.0)
    first = np.minimum(times.astype(int), max(len(q) - 2, 0))
    second = np.minimum(first + 1, len(q) - 1)
    share = (times - first).reshape(-1, *([1] * (q.ndim - 2)))
    return slerp(q[first], q[second], share)
