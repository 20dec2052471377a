# SPDX-License-Identifier: GPL-3.0-or-later
"""The prompt exam: does a motion do what its prompt says? Kinematic rules on joint positions, no learned judge.

The prompts stand in exam.toml; docs/prompt-exam.md explains the rules for people.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from .measures import SIDES, Measures

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTHS: Final = (80, 88, 96, 104, 112, 120, 100, 92)
"""Frames of the exam's eight seeds."""


@dataclass(frozen=True, slots=True)
class Prompt:
    rule: str
    plain: str
    reworded: tuple[str, ...]


def prompts(file: Path | None = None) -> list[Prompt]:
    """The project's prompts, or those of another file of the same form."""
    table = tomllib.loads((file or Path(__file__).with_name("exam.toml")).read_text(encoding="utf-8"))
    return [Prompt(each["rule"], each["plain"], tuple(each["reworded"])) for each in table["prompt"]]


def passes(rule: str, measures: Measures) -> bool:
    return bool(RULES[rule](measures))


def _walk(m: Measures) -> bool:
    return (
        m.forward > 1.0
        and abs(m.sideways) < m.forward
        and m.top_speed < 2.2
        and abs(m.turn) < 90
        and m.height.mean() > 0.75
    )


def _jumps(m: Measures) -> bool:
    return m.airborne.sum() >= 2


def _waves(m: Measures) -> bool:
    return m.waves("left") or m.waves("right")


def _crawl(m: Measures) -> bool:
    wrists = min(m.joint(f"{side}_wrist")[:, 1].min() for side in SIDES)
    return bool(np.median(m.height) < 0.6 and wrists < 0.25 and m.net > 0.4)


def _dance(m: Measures) -> bool:
    limbs = m.relative_speed[:, [7, 8, 20, 21]].mean()
    return bool(limbs > 0.45 and m.speed < 1.6 and m.height.mean() > 0.7)


def _jacks(m: Measures) -> bool:
    return len(m.runs(m.arms_up)) >= 2 and m.ankle_gap_range > 0.25


def _bow(m: Measures) -> bool:
    return bool(m.tilt.max() > 35 and m.tilt[:5].mean() < 25 and m.height.min() > 0.6)


def _idle(m: Measures) -> bool:
    return bool(m.path < 0.4 and m.relative_speed.mean() < 0.25 and m.height.mean() > 0.75)


RULES: Final[dict[str, Callable[[Measures], object]]] = {
    "walk": _walk,
    "backward": lambda m: m.forward < -0.8 and m.height.mean() > 0.75,
    "run": lambda m: m.top_speed > 1.8,
    "turn_left": lambda m: m.turn > 60 and m.path > 1.0,
    "turn_right": lambda m: m.turn < -60 and m.path > 1.0,
    "jump": _jumps,
    "jump_forward": lambda m: _jumps(m) and m.net > 0.7,
    "kick_right": lambda m: m.kicks("right"),
    "kick_left": lambda m: m.kicks("left"),
    "box": lambda m: m.punches >= 2 and m.arm_stretched_forward and m.height.mean() > 0.6,
    "wave_right": lambda m: m.waves("right"),
    "wave_left": lambda m: m.waves("left"),
    "arms_up": lambda m: m.arms_up.sum() >= 6,
    "sit_down": lambda m: m.start_height - m.end_height > 0.25,
    "stand_up": lambda m: m.end_height - m.start_height > 0.25 and m.end_height > 0.75,
    "climb": lambda m: m.climb > 0.30 and m.start_height > 0.6,
    "dance": _dance,
    "crouch": lambda m: 0.3 < np.median(m.height) < 0.78 and m.forward > 0.3,
    "crawl": _crawl,
    "jacks": _jacks,
    "bow": _bow,
    "drink": lambda m: max(m.hand_at_head(side).sum() for side in SIDES) >= 5,
    "idle": _idle,
    "walk_and_wave": lambda m: m.forward > 1.0 and _waves(m),
}
