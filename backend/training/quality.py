# SPDX-License-Identifier: GPL-3.0-or-later
"""Physical plausibility of a motion, in numbers that need no judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..motion.skeleton import FPS, INDEX

if TYPE_CHECKING:
    from .measures import Array


@dataclass(frozen=True, slots=True)
class Quality:
    """Of one clip: `skate` mean horizontal speed of toes below 5 cm, m/s; `penetration` share of frames whose lowest
    joint is over 3 cm below the floor; `jerk` mean norm of the third derivative of joint positions, m/s^3."""

    skate: float
    penetration: float
    jerk: float

    @classmethod
    def of(cls, positions: Array) -> Quality:
        """Positions (T, 22, 3) in metres at 20 fps, T > 3."""
        toes = positions[:, [INDEX["left_foot"], INDEX["right_foot"]]]
        speed = np.linalg.norm(np.diff(toes[..., [0, 2]], axis=0), axis=-1) * FPS
        down = toes[:-1, :, 1] < 0.05
        jerk = np.linalg.norm(np.diff(positions, 3, axis=0), axis=-1).mean() * FPS**3
        return cls(
            skate=float(speed[down].mean()) if down.any() else 0.0,
            penetration=float((positions[..., 1].min(axis=1) < -0.03).mean()),
            jerk=float(jerk),
        )
