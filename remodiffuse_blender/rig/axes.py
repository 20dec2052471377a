# SPDX-License-Identifier: GPL-3.0-or-later
"""Axes: motion is Y up and faces +Z; Blender is Z up and its characters face -Y. Left is +X in both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TO_BLENDER: Final[NDArray[np.float64]] = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""(3, 3): a vector of a motion in Blender's axes, for a character that faces -Y."""
