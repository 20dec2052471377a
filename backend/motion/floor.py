# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody sinks into the floor: a predicted motion is lifted where it would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .features import smooth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating[Any]]

TOLERANCE: Final = 0.01
"""Metres that a joint may be below the floor: less is not seen, and a foot that rolls dips that much."""

_REACH: Final = 4
"""Frames over which a lift grows and fades."""


def above_floor(positions: Array) -> Array:
    """Positions (T, 22, 3), raised as a whole where their lowest joint is below Y = 0.

    The lift is smooth in time and never less than what is needed, so it adds no jerk and leaves no joint behind; motion
    above the floor comes back unchanged.
    """
    sunk = np.maximum(0.0, -TOLERANCE - positions[..., 1].min(axis=1))
    if not sunk.any():
        return positions
    padded = np.pad(sunk, _REACH, mode="edge")
    widest = np.lib.stride_tricks.sliding_window_view(padded, 2 * _REACH + 1).max(axis=1)
    # Smoothing a maximum over a window with a kernel no wider than it stays above what was needed.
    lift = np.maximum(smooth(widest[:, None], _REACH / 3.0)[:, 0], sunk)
    result = positions.copy()
    result[..., 1] += lift[:, None]
    return result
