# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences for windows: hand-written ones from captions.toml, and phrases read off the path itself."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..measures import Measures

if TYPE_CHECKING:
    import random

    from ..measures import Array

_FILE: Final = Path(__file__).with_name("captions.toml")
_TURNS: Final = ("turn_", "around_", "circle_")
_SWAP: Final = {"left": "right", "right": "left", "clockwise": "counterclockwise", "counterclockwise": "clockwise"}


@dataclass(frozen=True, slots=True)
class Action:
    """How the clips of one or more source labels become captioned windows (see captions.toml)."""

    name: str
    cut: str
    texts: tuple[str, ...] = ()
    down_texts: tuple[str, ...] = ()
    """Said instead of `texts` where the body ends lower than it began."""
    events: tuple[str, ...] = ()
    rule: str = ""
    """An exam rule: windows that fail it do not show what `texts` say and are left out."""
    treadmill: bool = False
    speed: float = 0.0
    """Of a treadmill cycle in m/s; 0 = as fast as its feet go."""
    cycle: bool = False
    """Ends as it begins, so it may be repeated."""


@cache
def book() -> dict[str, Any]:
    """captions.toml, see there."""
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@cache
def _actions() -> dict[str, Action]:
    """By source label, and by clip name where an action names clips."""
    actions: dict[str, Action] = {}
    for name, entry in book()["action"].items():
        action = Action(
            name,
            entry["cut"],
            tuple(entry.get("texts", ())),
            tuple(entry.get("down_texts", ())),
            tuple(entry.get("events", ())),
            **{key: entry[key] for key in ("rule", "treadmill", "speed", "cycle") if key in entry},
        )
        for key in (*entry.get("labels", ()), *entry.get("clips", ())):
            actions[key] = action
    return actions


def action_of(clip: str, label: str) -> Action | None:
    """None for a clip that nobody has written sentences for: it is left out of training."""
    return _actions().get(clip) or _actions().get(label)


def texts_of(kind: str) -> tuple[str, ...]:
    """All hand-written phrases for a kind of motion; none for "in_a_row", whose words are made of those of others."""
    for name in (kind, mirrored_kind(kind)):
        for table in ("event", "action", "gesture", "combined", "row"):
            if texts := book()[table].get(name, {}).get("texts"):
                return tuple(texts) if name == kind else tuple(swap_sides(text) for text in texts)
    if texts := book()["action"].get(kind.removesuffix("_down"), {}).get("down_texts"):
        return tuple(texts)
    travel = book()["travel"]
    if kind.startswith(_TURNS):
        return tuple(f"walks forward and {turn}" for turn in travel[kind])
    return tuple(travel.get(kind, ()))


def mirrored_kind(kind: str) -> str:
    """ "wave_right" -> "wave_left": what the mirrored motion is called."""
    return swap_sides(kind.replace("_", " ")).replace(" ", "_")


def event_texts(event: str) -> tuple[str, ...]:
    return tuple(book()["event"][event]["texts"])


def count_texts(event: str, positions: Array) -> tuple[str, ...]:
    """What is done how many times; nothing for events that nobody counts."""
    template = book()["count"].get(event)
    if template is None:
        return ()
    m = Measures(positions)
    mask = {
        "jump_repeatedly": m.airborne,
        "squat": m.height < 0.65,
        "jacks": m.raised("left") & m.raised("right"),
    }[event]
    number = _number(len(m.runs(mask)))
    return (template.format(number),) if number else ()


def _number(count: int) -> str | None:
    words = book()["numbers"]
    return words[count - 2] if 2 <= count < 2 + len(words) else None


def swap_sides(text: str) -> str:
    """What the mirrored motion does."""
    return re.sub(r"\b(left|right|clockwise|counterclockwise)\b", lambda match: _SWAP[match[0]], text)


def sentence(phrase: str, rng: random.Random) -> str:
    """ "walks forward" -> "a man walks forward"."""
    neutral = ("a person", "someone", "the person")
    subject = rng.choice(neutral if "them" in phrase or "they" in phrase or "their" in phrase else book()["who"])
    return f"{subject} {phrase}"


def travel_texts(positions: Array, count: int, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    """(kind, `count` phrases) for a window of locomotion: direction, speed, turn, start and stop as measured."""
    m = Measures(positions)
    words = book()["travel"]
    kind = travel_kind(m)
    if kind == "still":
        return kind, tuple(rng.choice(words["still"]) for _ in range(count))
    turn = _turn_kind(m.turn) if kind not in ("left", "right") else None
    speeds = m.ground_speed
    starts, stops = speeds[:10].mean() < 0.25, speeds[-10:].mean() < 0.25
    phrases = []
    for index in range(count):
        phrase = rng.choice(words[kind])
        if turn is not None:
            link = rng.choice([" and ", " and then ", ", then "])
            phrase += link + rng.choice(words[turn])
        # Starting and stopping are said in every second sentence only: a plain "walks forward" may start or stop too.
        if index % 2 and starts:
            phrase = rng.choice(words["start"]).format(phrase)
        if index % 2 and stops:
            phrase = rng.choice(words["stop"]).format(phrase)
        phrases.append(phrase)
    steps = _number(_steps(m))
    if steps and turn is None and kind in words["steps"]:
        phrases.append(words["steps"][kind].format(steps))
    # A turn while walking backward shows the one thing as little as the other.
    if turn is None or turn.startswith("slight") or "backward" in kind:
        return kind, tuple(phrases)
    return turn, tuple(phrases)


def _steps(m: Measures) -> int:
    """How often one foot passes the other along the facing direction."""
    apart = m.joint("left_ankle")[:, [0, 2]] - m.joint("right_ankle")[:, [0, 2]]
    ahead = (apart * np.stack([np.sin(m.yaw), np.cos(m.yaw)], axis=-1)).sum(axis=-1)
    return m.swings(ahead, 0.08)


def travel_kind(m: Measures) -> str:
    """Which of the [travel] words of captions.toml a window is."""
    if m.path < 0.4:
        return "still"
    if abs(m.sideways) > abs(m.forward):
        return "left" if m.sideways > 0 else "right"
    if m.forward < 0:
        return "run_backward" if m.top_speed > 1.8 else "backward"
    if m.top_speed > 3.2:
        return "sprint"
    if m.top_speed > 1.9:
        return "run"
    if m.speed < 0.85:
        return "slow"
    return "brisk" if m.speed > 1.5 else "forward"


def _turn_kind(degrees: float) -> str | None:
    side = "left" if degrees > 0 else "right"
    size = abs(degrees)
    if size < 25:
        return None
    if size < 55:
        return f"slight_{side}"
    if size < 135:
        return f"turn_{side}"
    return f"around_{side}" if size < 230 else f"circle_{side}"
