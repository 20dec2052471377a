# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in a long clip something happens: one rule an event, each giving half-open frame spans worth a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ...motion.features import smooth
from ..measures import SIDES, Measures

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..measures import Array, Mask

Span = tuple[int, int]

LEAD: Final = 28
"""Frames of run-up and follow-through that a window keeps on each side of the event (1.4 s)."""


def find_events(name: str, positions: Array) -> list[Span]:
    """All spans of event `name` in a clip (T, 22, 3), in order; windows of neighbours may overlap."""
    frames = len(positions)
    return [
        (max(0, start), min(frames, end)) for start, end in _RULES[name](Measures(positions)) if end - start <= frames
    ]


def _around(starts: list[Span], lead: int = LEAD) -> list[Span]:
    return [(start - lead, end + lead) for start, end in starts]


def _height_change(m: Measures, sign: float) -> list[Span]:
    """Pelvis moving up (sign 1) or down (-1) by over 25 cm within two seconds, found where it is steepest."""
    half = 20
    if len(m.height) <= 2 * half:
        return []
    change = sign * (m.height[2 * half :] - m.height[: -2 * half])
    spans = m.runs(change > 0.25)
    peaks = [half + start + int(change[start:end].argmax()) for start, end in spans]
    return _around([(peak, peak + 1) for peak in peaks], 2 * LEAD - 8)


def _sitting(m: Measures) -> list[Span]:
    low = smooth(m.height, 3.0) < 0.68
    return [(a + 10, b - 10) for a, b in m.runs(low) if b - a > 60 and m.tilt[a:b].mean() < 35]


def _jumps(m: Measures, forward: bool) -> list[Span]:
    ground = m.joint("pelvis")[:, [0, 2]]
    spans = []
    for start, end in m.runs(m.airborne):
        if end - start < 2:
            continue
        a, b = max(0, start - 10), min(len(ground), end + 10)
        if (float(np.linalg.norm(ground[b - 1] - ground[a])) > 0.6) == forward:
            spans.append((start, end))
    return _around(spans)


def _repeated_jumps(m: Measures) -> list[Span]:
    return [span for span in _sliding(m, 90) if len(m.runs(m.airborne[slice(*span)])) >= 3]


def _kicks(m: Measures, side: str) -> list[Span]:
    other = SIDES[1 - SIDES.index(side)]
    high = (m.joint(f"{side}_ankle")[:, 1] > 0.50) & (m.joint(f"{other}_ankle")[:, 1] < 0.30)
    return _around(m.runs(high), 24)


def _sliding(m: Measures, length: int, step: int = 15) -> list[Span]:
    return [(start, start + length) for start in range(0, len(m.raw) - length + 1, step)]


def _where(m: Measures, length: int, test: Callable[[Measures], bool]) -> list[Span]:
    return [(a, b) for a, b in _sliding(m, length) if test(Measures(m.raw[a:b]))]


def _held(m: Measures, mask: Mask, least: int, lead: int = LEAD) -> list[Span]:
    return _around([(a, b) for a, b in m.runs(mask) if b - a >= least], lead)


def _raises_one(m: Measures, side: str) -> list[Span]:
    other = SIDES[1 - SIDES.index(side)]
    wrist, head = m.joint(f"{side}_wrist")[:, 1], m.joint("head")[:, 1]
    return _held(m, (wrist > head) & ~m.raised(other), 12, 24)


def _bends(m: Measures, to_floor: bool) -> list[Span]:
    lowest = np.minimum(m.joint("left_wrist")[:, 1], m.joint("right_wrist")[:, 1])
    spans = [(a, b) for a, b in m.runs(m.tilt > 45.0) if (lowest[a:b].min() < 0.35) == to_floor]
    return [(a, b) for a, b in _around(spans) if 30 < b - a < 150]


def _squats(m: Measures) -> list[Span]:
    return [span for span in _sliding(m, 80) if 1 <= len(m.runs(m.height[slice(*span)] < 0.65)) <= 4]


def _jacks(m: Measures) -> list[Span]:
    def test(w: Measures) -> bool:
        both = w.raised("left") & w.raised("right")
        return len(w.runs(both)) >= 2 and w.ankle_gap_range > 0.3 and w.path < 0.8

    return _where(m, 80, test)


def _twists(m: Measures) -> list[Span]:
    wide = np.sign(m.twist) * (np.abs(m.twist) > 25)
    return [(a, b) for a, b in _sliding(m, 80) if (np.diff(wide[a:b][wide[a:b] != 0]) != 0).sum() >= 2]


_RULES: Final[dict[str, Callable[[Measures], list[Span]]]] = {
    "sit_down": lambda m: _height_change(m, -1.0),
    "stand_up": lambda m: _height_change(m, 1.0),
    "sitting": _sitting,
    "jump": lambda m: _jumps(m, forward=False),
    "jump_forward": lambda m: _jumps(m, forward=True),
    "jump_repeatedly": _repeated_jumps,
    "kick_right": lambda m: _kicks(m, "right"),
    "kick_left": lambda m: _kicks(m, "left"),
    "arms_up": lambda m: _held(m, m.arms_up, 6),
    "raise_right": lambda m: _raises_one(m, "right"),
    "raise_left": lambda m: _raises_one(m, "left"),
    "bend": lambda m: _bends(m, to_floor=False),
    "pick_up": lambda m: _bends(m, to_floor=True),
    "squat": _squats,
    "jacks": _jacks,
    "twist": _twists,
    "drink_right": lambda m: _held(m, m.hand_at_head("right"), 5),
    "drink_left": lambda m: _held(m, m.hand_at_head("left"), 5),
    "climb": lambda m: _where(m, 100, lambda w: w.climb > 0.4 and w.start_height > 0.6),
}
