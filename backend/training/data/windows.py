# SPDX-License-Identifier: GPL-3.0-or-later
"""Source clips -> captioned windows of 16..196 frames, augmented."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...motion import sequence
from ...motion.contacts import detect_contacts, lock_feet
from ...motion.skeleton import FPS, with_bone_lengths
from ...request import MAX_FRAMES
from ..exam import RULES, passes
from ..measures import Measures
from . import augment
from .canonical import grounded
from .captions import (
    Action,
    action_of,
    book,
    count_texts,
    event_texts,
    mirrored_kind,
    sentence,
    swap_sides,
    travel_kind,
    travel_texts,
)
from .cuts import calm_pieces
from .events import find_events
from .gestures import gestures, performed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..measures import Array
    from .sources import SourceClip

GESTURES: Final = 12
"""Windows of each gesture, and twice as many of those done while walking."""

TWISTS: Final = 16

ROWS: Final = 24
"""Windows of each pair of motions that captions.toml names."""

TEXTS: Final = 8
"""Sentences a window."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One training example. `group` is the kind of motion, for balance; `source` the clips it was cut from."""

    positions: Array
    phrases: tuple[str, ...]
    group: str
    source: str
    start: int
    sentences: bool = False
    """`phrases` are whole sentences, with who does it."""

    def captions(self, rng: random.Random) -> tuple[str, ...]:
        phrases = list(self.phrases)
        rng.shuffle(phrases)
        if self.sentences:
            return tuple(dict.fromkeys(phrases[:TEXTS]))
        return tuple(dict.fromkeys(sentence(phrase, rng) for phrase in phrases[:TEXTS]))


def cut_windows(clips: Iterable[SourceClip], seed: int = 0) -> list[Window]:
    """All windows: cut, looped, reversed, combined, then mirrored. The same seed gives the same windows."""
    rng = random.Random(seed)  # noqa: S311 - choice of windows, no secret
    plain: list[Window] = []
    for clip in clips:
        action = action_of(clip.name, clip.label)
        if action is None and not clip.captions:
            continue
        positions = clip.positions
        if clip.slides:
            positions = with_bone_lengths(lock_feet(positions, detect_contacts(positions, FPS), FPS))
        if action is None:
            plain += _captioned(positions, clip)
        else:
            plain += _of_clip(positions, clip.name, action, rng)
    plain += _gestures(plain, rng)
    plain += _twists(plain, rng)
    plain += _combined(plain, rng)
    plain += _rows(plain, rng)
    both = plain + [
        Window(
            grounded(augment.mirrored(window.positions)),
            tuple(swap_sides(phrase) for phrase in window.phrases),
            mirrored_kind(window.group),
            window.source,
            window.start,
            window.sentences,
        )
        for window in plain
    ]
    return [window for window in both if 20 <= len(window.positions) <= MAX_FRAMES]


def _captioned(positions: Array, clip: SourceClip) -> Iterator[Window]:
    """A clip that came with sentences of its own. Its windows are balanced by how they travel."""
    for start, end in calm_pieces(positions):
        part = grounded(positions[start:end])
        yield Window(part, clip.captions, f"captioned_{travel_kind(Measures(part))}", clip.name, start, sentences=True)


def _of_clip(positions: Array, source: str, action: Action, rng: random.Random) -> Iterator[Window]:
    if action.cut == "travel":
        yield from _travel(positions, source, action, rng)
    elif action.cut == "whole":
        yield from _whole(positions, source, action)
    elif action.cut == "slide":
        for start, part in _slices(positions, rng):
            down = action.down_texts and part[-5:, 0, 1].mean() < part[:5, 0, 1].mean() - 0.2
            name, texts = (f"{action.name}_down", action.down_texts) if down else (action.name, action.texts)
            if down or not action.rule or passes(action.rule, Measures(part)):
                yield Window(part, texts, name, source, start)
    for event in action.events:
        for start, end in find_events(event, positions):
            part = grounded(positions[start:end][:MAX_FRAMES])
            if event in RULES and not passes(event, Measures(part)):
                continue  # it happens, but not so that anyone would see it
            own = action.texts[:1] if action.cut == "events" else ()
            yield Window(part, event_texts(event) + count_texts(event, part) + own, event, source, start)
            opposite = {"sit_down": "stand_up", "stand_up": "sit_down"}.get(event)
            if opposite is not None:
                yield Window(augment.reversed_in_time(part), event_texts(opposite), opposite, source, start)


def _slices(positions: Array, rng: random.Random) -> Iterator[tuple[int, Array]]:
    """The whole clip where it fits, and pieces of 2.4 to 8 s that overlap by about a third."""
    if len(positions) <= MAX_FRAMES:
        yield 0, positions
    if len(positions) < 70:
        return
    start = 0
    while start < len(positions) - 48:
        length = min(rng.randint(48, 160), len(positions) - start)
        yield start, grounded(positions[start : start + length])
        start += max(24, int(length * 0.66))


def _travel(positions: Array, source: str, action: Action, rng: random.Random) -> Iterator[Window]:
    variants = [positions]
    longer = sequence.looped(positions, rng.randint(100, 180))
    if longer is not None and len(positions) < 150:
        variants.append(grounded(longer[:MAX_FRAMES]))
    # The data has next to no backward walking; a reversed walk is one.
    variants += [augment.reversed_in_time(variant) for variant in variants if rng.random() < 0.5]
    for variant in variants:
        for start, part in _slices(variant, rng):
            most = 400 if len(part) > 90 else 200  # full circles need their time
            bent = augment.curved(part, rng.choice((-1, 1)) * rng.uniform(60, most))
            # Straight walks are nine tenths of the data; every second one is walked along an arc as well.
            for path in (part, grounded(bent)) if len(part) > 50 and rng.random() < 0.5 else (part,):
                kind, phrases = travel_texts(path, TEXTS, rng)
                if kind == "still" and not passes("idle", Measures(path)):
                    continue  # somebody about to walk, neither walking nor standing
                if "backward" in kind:
                    own, name = (), kind  # what is said of a walk is not said of a reversed one
                else:
                    own = action.texts
                    name = action.name if own and kind in _WALKS else kind
                yield Window(path, phrases + own * 2, name, source, start)


def _whole(positions: Array, source: str, action: Action) -> Iterator[Window]:
    cycle = source.endswith("_loop") or action.treadmill or action.cycle
    base = augment.travelling(positions, action.speed) if action.treadmill else positions
    lengths = (60, 100, 140, 180) if cycle else (len(positions), len(positions) + 16, len(positions) + 40)
    for frames in lengths:
        if cycle:
            longer = sequence.repeated(base, frames)
        else:
            # A one-shot: its first and last pose are held.
            extra = frames - len(positions)
            longer = base[[0] * (extra // 2) + list(range(len(base))) + [-1] * (extra - extra // 2)]
        yield Window(grounded(longer[:MAX_FRAMES]), action.texts, action.name, source, 0)
    if not cycle and 30 <= len(positions) < 120:
        twice = sequence.in_sequence(base, base)
        if len(twice) <= MAX_FRAMES:
            yield Window(twice, tuple(f"{text} twice" for text in action.texts), action.name, source, 0)


def _gestures(windows: list[Window], rng: random.Random) -> list[Window]:
    """Gestures on bodies that stand, and some on bodies that walk."""
    standing = [w for w in windows if w.group in _STANDING and len(w.positions) >= 50]
    walking = [w for w in windows if w.group in _WALKS and len(w.positions) >= 60]
    made = []
    for gesture in gestures():
        for number in range(GESTURES if standing else 0):
            base = rng.choice(standing)
            # Every third one from its middle: what is cut out of a longer motion.
            positions = performed(base.positions, gesture, rng, throughout=number % 3 == 2)
            made.append(
                Window(
                    grounded(positions),
                    gesture.texts,
                    gesture.name,
                    f"{gesture.name} by hand+{base.source}",
                    base.start,
                )
            )
        for _ in range(2 * GESTURES if gesture.walking and walking else 0):
            base = rng.choice(walking)
            positions = performed(base.positions, gesture, rng, throughout=rng.random() < 0.7)
            texts = _both_at_once(base.phrases, gesture.texts, rng)
            group = f"forward_and_{gesture.name}"
            made.append(Window(grounded(positions), texts, group, f"{gesture.name} by hand+{base.source}", base.start))
    return made


def _twists(windows: list[Window], rng: random.Random) -> list[Window]:
    """The trunk turned from side to side on bodies that stand: the free recordings show it only a few times."""
    standing = [w for w in windows if w.group in _STANDING and len(w.positions) >= 50]
    made = []
    for _ in range(TWISTS if standing else 0):
        base = rng.choice(standing)
        positions = augment.twisted(base.positions, rng.uniform(35, 55), rng.uniform(1.4, 2.6), rng.random())
        source = f"twist by hand+{base.source}"
        made.append(Window(grounded(positions), event_texts("twist"), "twist", source, base.start))
    return made


def _both_at_once(walk: tuple[str, ...], other: tuple[str, ...], rng: random.Random) -> tuple[str, ...]:
    return tuple(
        f"{_one(walk, rng)} {link}"
        for text in rng.sample(other, min(4, len(other)))
        for link in (f"and {text}", f"while {_gerund(text)}")
    )


_WALKS: Final = ("forward", "slow", "brisk")
_STANDING: Final = ("cc0_idle", "cc0_listen", "cc0_talk", "still")
_ARMS: Final = ("raise_right", "raise_left", "drink_right", "drink_left")
_IN_A_ROW: Final = (
    *("forward", "slow", "backward", "turn_left", "turn_right", "run", "still"),
    *("wave_right", "point_right", "salute_right", "clap", "arms_up", "kick_right", "kick_left", "jump"),
    *("jump_forward", "cc0_bow"),
    *("stand_up", "box", "cc0_idle", "cc0_nod", "bend", "sit_down", "cc0_throw", "cc0_victory", "cc0_pickup"),
)
_STANDS_AT_END: Final = frozenset(_IN_A_ROW) - {"sit_down"}
_STANDS_AT_START: Final = frozenset(_IN_A_ROW) - {"stand_up"}


def _combined(windows: list[Window], rng: random.Random) -> Iterator[Window]:
    """Two things at once (legs of one clip, an arm of another) and two things in a row."""
    by_group: dict[str, list[Window]] = {}
    for window in windows:
        by_group.setdefault(window.group, []).append(window)

    walks = [w for kind in _WALKS for w in by_group.get(kind, ()) if len(w.positions) >= 60]
    for event in _ARMS:
        side = event.rpartition("_")[2]
        donors = by_group.get(event, [])
        for _ in range(24 if donors and walks else 0):
            donor, base = rng.choice(donors), rng.choice(walks)
            both = augment.with_arm(base.positions, donor.positions, side)
            phrases = _both_at_once(base.phrases, donor.phrases, rng)
            yield Window(grounded(both), phrases, f"forward_and_{event}", f"{base.source}+{donor.source}", base.start)

    first = [group for group in _IN_A_ROW if group in _STANDS_AT_END and by_group.get(group)]
    second = [group for group in _IN_A_ROW if group in _STANDS_AT_START and by_group.get(group)]
    made = 0
    for _ in range(5000 if first and second else 0):
        if made == 420:
            break
        a, b = (rng.choice(by_group[rng.choice(groups)]) for groups in (first, second))
        lengths = len(a.positions), len(b.positions)
        if a.group == b.group or min(lengths) < 30 or sum(lengths) > MAX_FRAMES + 30:
            continue
        row = sequence.in_sequence(a.positions, b.positions)
        if not 50 <= len(row) <= MAX_FRAMES:
            continue
        made += 1
        phrases = tuple(
            f"{_one(a.phrases, rng)}{link}{_one(b.phrases, rng)}"
            for link in (", then ", " and then ", ", and then ", " and ")
        )
        yield Window(grounded(row), phrases, "in_a_row", f"{a.source}+{b.source}", a.start)


def _rows(windows: list[Window], rng: random.Random) -> Iterator[Window]:
    """The motions in a row that captions.toml names, with words of their own."""
    for name, entry in book()["row"].items():
        first, second = (
            [some for kind in entry[part] if (some := [w for w in windows if w.group == kind])]
            for part in ("first", "second")
        )
        made = 0
        for _ in range(40 * ROWS if first and second else 0):
            if made == ROWS:
                break
            a, b = (rng.choice(rng.choice(kinds)) for kinds in (first, second))
            if min(len(a.positions), len(b.positions)) < 30 or len(a.positions) + len(b.positions) > MAX_FRAMES + 30:
                continue
            row = sequence.in_sequence(a.positions, b.positions)
            if not 50 <= len(row) <= MAX_FRAMES or (name in RULES and not passes(name, Measures(row))):
                continue
            made += 1
            yield Window(grounded(row), tuple(entry["texts"]), name, f"{a.source}+{b.source}", a.start)


def _one(phrases: tuple[str, ...], rng: random.Random) -> str:
    short = [phrase for phrase in phrases if phrase.count(",") == 0 and " and " not in phrase]
    return rng.choice(short or phrases)


def _gerund(phrase: str) -> str:
    """ "waves the right hand" -> "waving the right hand" (the first verb only)."""
    verb, _, rest = phrase.partition(" ")
    stem = verb.removesuffix("es") if verb.endswith(("ches", "shes")) else verb.removesuffix("s")
    stem = stem.removesuffix("e") if stem.endswith("e") and not stem.endswith("ee") else stem
    stem = {"put": "putt"}.get(stem, stem)
    return f"{stem}ing {rest}".strip()
