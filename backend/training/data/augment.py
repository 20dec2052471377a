# SPDX-License-Identifier: GPL-3.0-or-later
"""More motion from the motion there is: mirror, reverse, loop, travel, another clip's arm, one clip after another."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...motion.features import FeatureLayout, smooth
from ...motion.skeleton import INDEX, MIRROR
from .canonical import grounded, with_bone_lengths

Array = NDArray[np.floating[Any]]

LAYOUT: Final = FeatureLayout(rotations=False)

SEAM: Final = 8
"""Frames over which two clips are blended into each other."""


def mirrored(positions: Array) -> Array:
    """Left and right exchanged (the plane X = 0)."""
    return positions[:, list(MIRROR)] * [-1.0, 1.0, 1.0]


def reversed_in_time(positions: Array) -> Array:
    return grounded(positions[::-1])


def travelling(positions: Array) -> Array:
    """A treadmill cycle made to travel: forward at the backward speed of the foot on the floor.

    The 60th percentile: the planted foot, not the swinging one, and not the rolling toe.
    """
    toes = smooth(positions[:, [INDEX["left_foot"], INDEX["right_foot"]]], 1.0)
    lower = toes[:, :, 1].argmin(axis=1)
    speed = -np.diff(toes[:, :, 2], axis=0)[np.arange(len(toes) - 1), lower[:-1]]
    result = positions.copy()
    result[..., 2] += np.percentile(speed, 60) * np.arange(len(positions))[:, None]
    return result


def curved(positions: Array, degrees: float) -> Array:
    """The same steps along an arc that turns by `degrees` (positive: left) from first to last frame.

    Feet keep their place relative to the body, so they pivot a little while planted; at walking speed that is unseen.
    """
    rows = _rows(positions)
    rows[:, 0] -= 0.5 * np.radians(degrees) / max(1, len(rows) - 1)
    return _positions(rows)


def looped(positions: Array, frames: int) -> Array | None:
    """The clip with its best cycle repeated until it is `frames` long; None when no part of it closes well."""
    rows = _rows(positions)
    cycle = _best_cycle(rows)
    if cycle is None:
        return None
    # Frame `last` looks like frame `first`, so what follows the one is blended into what follows the other.
    first, last = cycle
    result = rows[: last + SEAM]
    while len(result) < frames:
        result = _joined(result, rows[first : last + SEAM])
    return _positions(result[:frames])


def repeated(positions: Array, frames: int) -> Array:
    """A clip that is one cycle, whose last frame is its first again, over and over until it is `frames` long."""
    rows = _rows(positions)[:-1]
    return _positions(np.resize(rows, (frames, rows.shape[1])))


def with_arm(base: Array, donor: Array, side: str) -> Array:
    """The clip `base` with one arm moving as in `donor`, relative to the chest.

    A donor that is shorter is played to and fro: arms do not mind which way time runs.
    """
    there_and_back = np.concatenate([np.arange(len(donor)), np.arange(len(donor) - 2, 0, -1)])
    donor = donor[np.resize(there_and_back, len(base))]
    result = base.copy()
    turn = _chest(base) @ _chest(donor).transpose(0, 2, 1)
    shoulder = INDEX[f"{side}_shoulder"]
    for joint in (INDEX[f"{side}_elbow"], INDEX[f"{side}_wrist"]):
        offset = donor[:, joint] - donor[:, shoulder]
        result[:, joint] = result[:, shoulder] + np.einsum("tij,tj->ti", turn, offset)
    return result


def in_sequence(first: Array, second: Array) -> Array:
    """`second` after `first`: joined where their poses are closest, blended, going on from place and heading."""
    a, b = _rows(first), _rows(second)
    tail = max(1, min(20, len(a) - 2 * SEAM))
    head = max(1, min(20, len(b) - 2 * SEAM))
    ends = a[len(a) - SEAM - tail : len(a) - SEAM, LAYOUT.positions]
    starts = b[:head, LAYOUT.positions]
    distance = np.linalg.norm(ends[:, None] - starts[None], axis=-1)
    i, j = np.unravel_index(int(distance.argmin()), distance.shape)
    return _positions(_joined(a[: len(a) - tail + int(i)], b[int(j) :]))


def _rows(positions: Array) -> Array:
    return LAYOUT.encode(positions, np.zeros((len(positions), 4)))


def _positions(rows: Array) -> Array:
    positions, _ = LAYOUT.decode(rows)
    return with_bone_lengths(positions)


def _joined(a: Array, b: Array) -> Array:
    """Rows of `a`, then of `b`, cross-faded over SEAM rows. Root rows are velocities, so they blend like the rest."""
    share = ((np.arange(SEAM) + 0.5) / SEAM)[:, None]
    share = share * share * (3.0 - 2.0 * share)
    return np.concatenate([a[:-SEAM], (1.0 - share) * a[-SEAM:] + share * b[:SEAM], b[SEAM:]])


def _best_cycle(rows: Array) -> tuple[int, int] | None:
    """The pair of frames 12..50 apart whose poses and velocities agree best, if they agree well."""
    pose = np.concatenate([rows[:, LAYOUT.positions], 2.0 * rows[:, LAYOUT.velocities]], axis=1)
    best, pair = 0.55, None
    for gap in range(max(12, SEAM + 4), min(51, len(rows) - SEAM - 4)):
        distance = np.linalg.norm(pose[gap:-SEAM] - pose[: -gap - SEAM], axis=1)
        at = int(distance.argmin())
        if distance[at] < best:
            best, pair = float(distance[at]), (at, at + gap)
    return pair


def _chest(positions: Array) -> Array:
    left = positions[:, INDEX["left_shoulder"]] - positions[:, INDEX["right_shoulder"]]
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    up = positions[:, INDEX["neck"]] - positions[:, INDEX["spine3"]]
    up -= left * (up * left).sum(-1, keepdims=True)
    up /= np.linalg.norm(up, axis=-1, keepdims=True)
    return np.stack([left, up, np.cross(left, up)], axis=-1)
