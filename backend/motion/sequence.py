# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion that goes on: a cycle repeated, one clip after another. Seams are blended in feature space, where travel is a
velocity and blends like everything else."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .features import FeatureLayout
from .skeleton import with_bone_lengths

Array = NDArray[np.floating[Any]]

_LAYOUT: Final = FeatureLayout(rotations=False)

SEAM: Final = 8
"""Frames over which two clips are blended into each other."""

_SHORTEST_CYCLE, _LONGEST_CYCLE = 12, 50
_ALIKE: Final = 0.55
"""Distance (metres, all joints, with doubled velocities) below which two frames pass for the same moment of a cycle."""


def looped(positions: Array, frames: int) -> Array | None:
    """Positions (T, 22, 3) with their best cycle repeated until they have `frames` or a little more.

    What comes before and after the cycle stays. None when no part of them closes well.
    """
    rows = rows_of(positions)
    cycle = _best_cycle(rows)
    if cycle is None:
        return None
    # Frame `last` looks like frame `first`, so what follows the one is blended into what follows the other.
    first, last = cycle
    result = rows[: last + SEAM]
    while len(result) - SEAM + len(rows) - first < frames:
        result = _joined(result, rows[first : last + SEAM])
    return positions_of(_joined(result, rows[first:]) if len(rows) < frames else rows)


def repeated(positions: Array, frames: int) -> Array:
    """A clip that is one cycle, whose last frame is its first again, over and over until it is `frames` long."""
    rows = rows_of(positions)[:-1]
    return positions_of(np.resize(rows, (frames, rows.shape[1])))


def in_sequence(first: Array, second: Array) -> Array:
    """`second` after `first`: joined where their poses are closest, blended, going on from place and heading."""
    a, b = rows_of(first), rows_of(second)
    tail = max(1, min(20, len(a) - 2 * SEAM))
    head = max(1, min(20, len(b) - 2 * SEAM))
    ends = a[len(a) - SEAM - tail : len(a) - SEAM, _LAYOUT.positions]
    starts = b[:head, _LAYOUT.positions]
    distance = np.linalg.norm(ends[:, None] - starts[None], axis=-1)
    i, j = np.unravel_index(int(distance.argmin()), distance.shape)
    return positions_of(_joined(a[: len(a) - tail + int(i)], b[int(j) :]))


def rows_of(positions: Array) -> Array:
    """Feature vectors (T, 137) without contacts."""
    return _LAYOUT.encode(positions, np.zeros((len(positions), 4)))


def positions_of(rows: Array) -> Array:
    """Positions (T, 22, 3), bones at their canonical length, from the origin and facing +Z."""
    positions, _ = _LAYOUT.decode(rows)
    return with_bone_lengths(positions)


def _joined(a: Array, b: Array) -> Array:
    """Rows of `a`, then of `b`, cross-faded over SEAM rows."""
    share = ((np.arange(SEAM) + 0.5) / SEAM)[:, None]
    share = share * share * (3.0 - 2.0 * share)
    return np.concatenate([a[:-SEAM], (1.0 - share) * a[-SEAM:] + share * b[:SEAM], b[SEAM:]])


def _best_cycle(rows: Array) -> tuple[int, int] | None:
    """The pair of frames that are most alike in pose and velocity, if they are alike enough."""
    pose = np.concatenate([rows[:, _LAYOUT.positions], 2.0 * rows[:, _LAYOUT.velocities]], axis=1)
    best, pair = _ALIKE, None
    for gap in range(max(_SHORTEST_CYCLE, SEAM + 4), min(_LONGEST_CYCLE + 1, len(rows) - SEAM - 4)):
        distance = np.linalg.norm(pose[gap:-SEAM] - pose[: -gap - SEAM], axis=1)
        at = int(distance.argmin())
        if distance[at] < best:
            best, pair = float(distance[at]), (at, at + gap)
    return pair
