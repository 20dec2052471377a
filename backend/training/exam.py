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
    return m.forward > 1.0 and abs(m.sideways) < m.forward and m.top_speed < 2.2 and abs(m.turn) < 90 and _upright(m)


def _upright(m: Measures) -> bool:
    return bool(m.height.mean() > 0.75)


def _jumps(m: Measures) -> bool:
    return m.airborne.sum() >= 2


def _waves(m: Measures) -> bool:
    return m.waves("left") or m.waves("right")


def _drinks(m: Measures) -> bool:
    return bool(max(m.hand_at_head(side).sum() for side in SIDES) >= 5)


def _sits_down(m: Measures) -> bool:
    return m.start_height - m.end_height > 0.25


def _stands_up(m: Measures) -> bool:
    return m.end_height - m.start_height > 0.25 and m.end_height > 0.75


def _sitting(m: Measures) -> bool:
    return bool(m.height.max() < 0.85 and m.path < 0.5 and np.median(m.tilt) < 40 and np.median(m.height) > 0.25)


def _crouch_still(m: Measures) -> bool:
    return bool(np.median(m.height) < 0.75 and m.path < 0.6 and np.median(m.tilt) < 70)


def _picks_up(m: Measures) -> bool:
    low = min(m.joint(f"{side}_wrist")[:, 1].min() for side in SIDES)
    return bool(low < 0.40 and m.start_height > 0.75 and m.end_height > 0.75)


def _balances(m: Measures) -> bool:
    feet = m.joint("left_ankle")[:, 1] - m.joint("right_ankle")[:, 1]
    return any(b - a >= 20 for sign in (1, -1) for a, b in m.runs(sign * feet > 0.12))


def _lies(m: Measures) -> bool:
    return bool(np.median(m.height) < 0.4 and np.median(m.joint("head")[:, 1]) < 0.45)


def _falls(m: Measures) -> bool:
    return bool(m.start_height > 0.75 and m.end_height < 0.45 and m.joint("head")[-5:, 1].mean() < 0.6)


def _pushups(m: Measures) -> bool:
    return bool(np.median(m.height) < 0.6 and np.median(m.tilt) > 55 and m.swings(m.joint("neck")[:, 1], 0.04) >= 3)


def _rolls(m: Measures) -> bool:
    return m.upside_down.sum() >= 3 and m.net > 0.4


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
    return bool(m.path < 0.4 and m.relative_speed.mean() < 0.25 and _upright(m))


RULES: Final[dict[str, Callable[[Measures], object]]] = {
    "walk": _walk,
    "walk_slowly": lambda m: m.forward > 0.4 and m.speed < 0.95 and m.top_speed < 1.4 and _upright(m),
    "walk_fast": lambda m: m.forward > 1.0 and m.speed > 1.3 and m.top_speed < 3.0 and _upright(m),
    "long_steps": lambda m: m.forward > 1.0 and m.ankle_gap.max() > 0.8 and m.top_speed < 3.0,
    "backward": lambda m: m.forward < -0.8 and _upright(m),
    "jog": lambda m: m.forward > 1.0 and 1.6 < m.top_speed < 3.6,
    "run": lambda m: m.top_speed > 1.8,
    "sprint": lambda m: m.top_speed > 2.8,
    "side_left": lambda m: m.sideways > max(0.4, abs(m.forward)),
    "side_right": lambda m: -m.sideways > max(0.4, abs(m.forward)),
    "turn_left": lambda m: m.turn > 60 and m.path > 1.0,
    "turn_right": lambda m: m.turn < -60 and m.path > 1.0,
    "turn_around": lambda m: abs(m.turn) > 130 and m.path > 0.5,
    "circle": lambda m: abs(m.turn) > 230 and m.path > 2.0,
    "jump": _jumps,
    "jump_forward": lambda m: _jumps(m) and m.net > 0.7,
    "jump_repeatedly": lambda m: len(m.runs(m.airborne)) >= 2,
    "kick_right": lambda m: m.kicks("right"),
    "kick_left": lambda m: m.kicks("left"),
    "box": lambda m: m.punches >= 2 and m.arm_stretched_forward and m.height.mean() > 0.6,
    "punch": lambda m: m.punches >= 1 and m.arm_stretched_forward and m.height.mean() > 0.6,
    "throw": lambda m: m.relative_speed[:, [20, 21]].max() > 2.5,
    "wave_right": lambda m: m.waves("right"),
    "wave_left": lambda m: m.waves("left"),
    "raise_right": lambda m: m.raises("right"),
    "raise_left": lambda m: m.raises("left"),
    "arms_up": lambda m: m.arms_up.sum() >= 6,
    "sit_down": _sits_down,
    "stand_up": _stands_up,
    "sitting": _sitting,
    "climb": lambda m: m.climb > 0.30 and m.start_height > 0.6,
    "descend": lambda m: m.descent > 0.30 and m.end_height > 0.6,
    "dance": _dance,
    "crouch": lambda m: 0.3 < np.median(m.height) < 0.78 and m.forward > 0.3,
    "crouch_still": _crouch_still,
    "crawl": _crawl,
    "jacks": _jacks,
    "squat": lambda m: m.height.min() < 0.68 and m.height.max() > 0.8 and m.tilt.mean() < 60,
    "twist": lambda m: m.swings(m.twist, 20.0) >= 2,
    "pushup": _pushups,
    "pick_up": _picks_up,
    "bow": _bow,
    "drink": _drinks,
    "walk_and_drink": lambda m: m.forward > 0.8 and _drinks(m),
    "idle": _idle,
    "balance": _balances,
    "lie": _lies,
    "fall": _falls,
    "roll": _rolls,
    "swim": lambda m: np.median(m.tilt) > 55 and m.net > 0.5,
    "walk_and_wave": lambda m: m.forward > 1.0 and _waves(m),
    "walk_then_wave": lambda m: m.part(0.0, 0.6).path > 0.5 and _waves(m.part(0.4, 1.0)),
    "walk_then_sit": lambda m: m.path > 0.6 and _sits_down(m),
    "stand_up_then_walk": lambda m: m.path > 0.6 and _stands_up(m),
}
