# SPDX-License-Identifier: GPL-3.0-or-later
"""What a motion does, in numbers: the kinematic facts behind computed captions and the prompt exam.

Positions are first smoothed (Gaussian, sigma 1 frame). Units: metres, metres a second, degrees; Y up.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..motion.features import heading, smooth
from ..motion.skeleton import FPS, INDEX

Array = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

SIDES = ("left", "right")


class Measures:
    """Facts of one clip (T, 22, 3), each computed when first asked for."""

    def __init__(self, positions: Array) -> None:
        self.raw = positions
        self.positions = smooth(positions, 1.0)

    def joint(self, name: str) -> Array:
        """(T, 3)"""
        return self.positions[:, INDEX[name]]

    def part(self, start: float, end: float) -> Measures:
        """The same of a part of the clip; 0 is its start, 1 its end."""
        return Measures(self.raw[round(start * len(self.raw)) : round(end * len(self.raw))])

    @cached_property
    def height(self) -> Array:
        """(T,) height of the pelvis."""
        return self.joint("pelvis")[:, 1]

    @cached_property
    def start_height(self) -> float:
        return float(self.height[:10].mean())

    @cached_property
    def end_height(self) -> float:
        return float(self.height[-10:].mean())

    @cached_property
    def yaw(self) -> Array:
        """(T,) radians, positive to the left."""
        return heading(self.positions, sigma=2.0)

    @cached_property
    def turn(self) -> float:
        """Degrees from first to last frame, positive to the left."""
        return float(np.degrees(self.yaw[-1] - self.yaw[0]))

    @cached_property
    def _steps(self) -> Array:
        return np.diff(self.joint("pelvis")[:, [0, 2]], axis=0)

    @cached_property
    def forward(self) -> float:
        """Metres walked along the facing direction."""
        facing = np.stack([np.sin(self.yaw), np.cos(self.yaw)], axis=-1)[:-1]
        return float((self._steps * facing).sum())

    @cached_property
    def sideways(self) -> float:
        """Metres walked to the body's left."""
        left = np.stack([np.cos(self.yaw), -np.sin(self.yaw)], axis=-1)[:-1]
        return float((self._steps * left).sum())

    @cached_property
    def ground_speed(self) -> Array:
        """(T-1,) speed of the smoothed ground path."""
        ground = smooth(self.joint("pelvis")[:, [0, 2]], 3.0)
        return np.linalg.norm(np.diff(ground, axis=0), axis=-1) * FPS

    @cached_property
    def path(self) -> float:
        """Metres of ground path."""
        return float(self.ground_speed.sum() / FPS)

    @cached_property
    def speed(self) -> float:
        return float(self.ground_speed.mean())

    @cached_property
    def top_speed(self) -> float:
        """Best mean over one second."""
        window = min(int(FPS), len(self.ground_speed))
        return float(np.convolve(self.ground_speed, np.ones(window) / window, "valid").max())

    @cached_property
    def net(self) -> float:
        """Metres between first and last place on the ground."""
        ground = self.joint("pelvis")[:, [0, 2]]
        return float(np.linalg.norm(ground[-1] - ground[0]))

    @cached_property
    def airborne(self) -> Mask:
        """(T,) both toes off the floor and the pelvis above its usual height."""
        toes = np.minimum(self.joint("left_foot")[:, 1], self.joint("right_foot")[:, 1])
        return (toes > 0.10) & (self.height > np.median(self.height) + 0.05)

    @cached_property
    def arms_up(self) -> Mask:
        """(T,) both wrists above the head joint."""
        head = self.joint("head")[:, 1]
        return (self.joint("left_wrist")[:, 1] > head) & (self.joint("right_wrist")[:, 1] > head)

    @cached_property
    def relative_speed(self) -> Array:
        """(T-1, 22) speed of joints relative to the pelvis."""
        relative = self.positions - self.positions[:, :1]
        return np.linalg.norm(np.diff(relative, axis=0), axis=-1) * FPS

    @cached_property
    def tilt(self) -> Array:
        """(T,) degrees of the pelvis-to-head line from the vertical."""
        line = self.joint("head") - self.joint("pelvis")
        return np.degrees(np.arctan2(np.linalg.norm(line[:, [0, 2]], axis=-1), line[:, 1]))

    def raised(self, side: str) -> Mask:
        """(T,) that wrist above its shoulder."""
        return self.joint(f"{side}_wrist")[:, 1] > self.joint(f"{side}_shoulder")[:, 1]

    def waves(self, side: str) -> bool:
        """That hand is up in a quarter of the frames and swings to and fro at least twice; the other mostly is not."""
        other = SIDES[1 - SIDES.index(side)]
        up = self.raised(side)
        if up.mean() < 0.25 or self.raised(other).mean() > 0.30:
            return False
        swing = (self.joint(f"{side}_wrist") - self.joint(f"{side}_shoulder"))[up]
        swing = swing - smooth(swing, 10.0)
        return any(_alternations(swing[:, axis], 0.02) >= 4 for axis in range(3))

    def raises(self, side: str) -> bool:
        """That wrist is above the head in 6 frames; the other mostly hangs below its shoulder."""
        other = SIDES[1 - SIDES.index(side)]
        up = self.joint(f"{side}_wrist")[:, 1] > self.joint("head")[:, 1]
        return bool(up.sum() >= 6 and self.raised(other).mean() < 0.30)

    def kicks(self, side: str) -> bool:
        other = SIDES[1 - SIDES.index(side)]
        ankle, still = self.joint(f"{side}_ankle")[:, 1], self.joint(f"{other}_ankle")[:, 1]
        peak = int(ankle.argmax())
        return bool(ankle[peak] > 0.50 and still[peak] < 0.30 and ankle[peak] > still.max() + 0.05)

    @cached_property
    def punches(self) -> int:
        """Fast strokes of the wrists (local maxima above 2 m/s), both hands counted."""
        count = 0
        for side in SIDES:
            v = self.relative_speed[:, INDEX[f"{side}_wrist"]]
            count += int(((v[1:-1] > v[:-2]) & (v[1:-1] >= v[2:]) & (v[1:-1] > 2.0)).sum())
        return count

    @cached_property
    def arm_stretched_forward(self) -> bool:
        """Some frame with a wrist far out at shoulder height."""
        for side in SIDES:
            reach = self.joint(f"{side}_wrist") - self.joint(f"{side}_shoulder")
            if ((np.linalg.norm(reach[:, [0, 2]], axis=-1) > 0.38) & (np.abs(reach[:, 1]) < 0.25)).any():
                return True
        return False

    def hand_at_head(self, side: str) -> Mask:
        """(T,) that wrist within 25 cm of the head joint."""
        return np.linalg.norm(self.joint(f"{side}_wrist") - self.joint("head"), axis=-1) < 0.25

    @cached_property
    def climb(self) -> float:
        """Metres the pelvis rises above its lowest height so far."""
        return float((self.height - np.minimum.accumulate(self.height)).max())

    @cached_property
    def descent(self) -> float:
        """Metres the pelvis sinks below its greatest height so far."""
        return float((np.maximum.accumulate(self.height) - self.height).max())

    @cached_property
    def ankle_gap(self) -> Array:
        """(T,) metres between the ankles."""
        return np.linalg.norm(self.joint("left_ankle") - self.joint("right_ankle"), axis=-1)

    @cached_property
    def ankle_gap_range(self) -> float:
        return float(np.ptp(self.ankle_gap))

    @cached_property
    def upside_down(self) -> Mask:
        """(T,) the head below the pelvis."""
        return self.joint("head")[:, 1] < self.joint("pelvis")[:, 1]

    @cached_property
    def twist(self) -> Array:
        """(T,) degrees by which the shoulders are turned against the hips, positive to the left."""
        lines = (
            self.joint(f"left_{part}")[:, [0, 2]] - self.joint(f"right_{part}")[:, [0, 2]]
            for part in ("hip", "shoulder")
        )
        hips, shoulders = (np.arctan2(-line[:, 1], line[:, 0]) for line in lines)
        return np.degrees((shoulders - hips + np.pi) % (2 * np.pi) - np.pi)

    @staticmethod
    def swings(track: Array, threshold: float) -> int:
        """How often (T,) changes sides of its mean, excursions beyond +-threshold counted."""
        return _alternations(track - track.mean(), threshold)

    def runs(self, mask: Mask) -> list[tuple[int, int]]:
        """Half-open spans of consecutive true frames."""
        edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
        return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _alternations(track: Array, threshold: float) -> int:
    """Sign changes between excursions beyond +-threshold."""
    signs = np.sign(track[np.abs(track) > threshold])
    return int((np.diff(signs) != 0).sum())
