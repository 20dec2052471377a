# SPDX-License-Identifier: GPL-3.0-or-later
"""`Motion`, the only currency between rooms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """One clip on the canonical skeleton (see `skeleton`): Y up, metres, facing +Z at frame 0, +X is its left.

    `positions` (T, 22, 3) and `contacts` (T, 4; 0..1, order of `skeleton.CONTACT_JOINTS`) are the truth;
    `rotations` (T, 22, 4) are unit quaternions w, x, y, z of each joint relative to its parent, against the
    canonical T-pose, rebuilt from the positions; `root` (T, 3) is the pelvis position.
    """

    fps: float
    positions: Array
    rotations: Array
    root: Array
    contacts: Array

    @property
    def frames(self) -> int:
        return len(self.positions)

    @property
    def seconds(self) -> float:
        return self.frames / self.fps
