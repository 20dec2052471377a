# SPDX-License-Identifier: GPL-3.0-or-later
"""Physical plausibility of a motion, in numbers that need no judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ..motion.skeleton import CONTACT_JOINTS, FPS, INDEX

if TYPE_CHECKING:
    from ..motion.clip import Motion
    from .measures import Array


_TOES: Final = (INDEX["left_foot"], INDEX["right_foot"])


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
        toes = positions[:, list(_TOES)]
        speed = np.linalg.norm(np.diff(toes[..., [0, 2]], axis=0), axis=-1) * FPS
        down = toes[:-1, :, 1] < 0.05
        jerk = np.linalg.norm(np.diff(positions, 3, axis=0), axis=-1).mean() * FPS**3
        return cls(
            skate=float(speed[down].mean()) if down.any() else 0.0,
            penetration=float((positions[..., 1].min(axis=1) < -0.03).mean()),
            jerk=float(jerk),
        )


def slide(motion: Motion) -> float:
    """Mean horizontal speed in m/s of the toes while they are said to stand; 0 where none ever does."""
    toes = [channel for channel, joint in enumerate(CONTACT_JOINTS) if joint in _TOES]
    places = motion.positions[:, [CONTACT_JOINTS[channel] for channel in toes]]
    speed = np.linalg.norm(np.diff(places[..., [0, 2]], axis=0), axis=-1) * motion.fps
    standing = motion.contacts[:, toes] > 0.5
    held = standing[1:] & standing[:-1]
    return float(speed[held].mean()) if held.any() else 0.0
