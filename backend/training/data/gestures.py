# SPDX-License-Identifier: GPL-3.0-or-later
"""Gestures animated by hand: arms that do what no free recording shows, on the body of one that does something else.

The places stand in captions.toml, beside the words for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ...motion.skeleton import BONE_LENGTHS, FPS, INDEX
from .augment import chest_frames
from .captions import book

if TYPE_CHECKING:
    import random

Array = NDArray[np.floating[Any]]

UPPER, LOWER = float(BONE_LENGTHS[INDEX["left_elbow"]]), float(BONE_LENGTHS[INDEX["left_wrist"]])
ARM: Final = UPPER + LOWER
_STRAIGHTEST: Final = 0.985
"""Of the arm's length: a reach that leaves the elbow a plane to bend in."""

_BACK: Final = np.array([0.0, 0.0, -0.02])


@dataclass(frozen=True, slots=True)
class Gesture:
    """Wrist places (K, 3) relative to the shoulder in arm lengths: to the outside, up, forward. See captions.toml."""

    name: str
    sides: tuple[str, ...]
    keys: Array
    beat: float
    elbow: Array
    walking: bool
    texts: tuple[str, ...]


def gestures() -> list[Gesture]:
    tables = book()["gesture"]
    return [
        Gesture(
            name,
            ("left", "right") if table["arms"] == "both" else (table["arms"],),
            np.array(table["keys"], np.float64),
            table.get("beat", 1.0),
            np.array(table.get("elbow", (0.6, -1.0, -0.2)), np.float64),
            table.get("walking", False),
            tuple(table["texts"]),
        )
        for name, table in tables.items()
    ]


def performed(base: Array, gesture: Gesture, rng: random.Random, *, throughout: bool = False) -> Array:
    """`base` (T, 22, 3) with its arms doing the gesture, each time a little differently.

    The arms leave what they did after a moment and come back to it before the end; `throughout`: they never do it.
    """
    frames = len(base)
    time = np.arange(frames) / FPS
    rise, wait = rng.uniform(0.35, 0.6), 0.0 if throughout else rng.uniform(0.1, 0.5)
    arrived = np.ones(frames)
    if not throughout:
        until = np.minimum(time - wait, time[-1] - time - rng.uniform(0.0, 0.3))
        arrived = _ease(until / rise)
    beat = gesture.beat * rng.uniform(0.85, 1.25)
    size = rng.uniform(0.8, 1.1)
    middle = gesture.keys.mean(axis=0)
    keys = middle + size * (gesture.keys - middle) + [rng.uniform(-0.03, 0.03) for _ in range(3)]
    places = _along(keys, time / beat + rng.random() * len(keys))
    turn = chest_frames(base)
    result = base.copy()
    for side in gesture.sides:
        outside = np.array([1.0 if side == "left" else -1.0, 1.0, 1.0])
        shoulder, elbow, wrist = (INDEX[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist"))
        own = _seen_from(turn, base[:, wrist] - base[:, shoulder]) / ARM
        target = own + arrived[:, None] * (places * outside - own)
        bend = _seen_from(turn, base[:, elbow] - 0.5 * (base[:, shoulder] + base[:, wrist]))
        pole = _unit(bend) * (1.0 - arrived[:, None]) + _unit(gesture.elbow * outside) * arrived[:, None]
        hand, joint = _reached(target * ARM, pole)
        result[:, wrist] = base[:, shoulder] + _turned(turn, hand)
        result[:, elbow] = base[:, shoulder] + _turned(turn, joint)
    return result


def _along(keys: Array, place: Array) -> Array:
    """The keys in a circle at `place` (T,) 0, 1, 2, ..., gliding from each to the next."""
    first = np.floor(place).astype(int)
    share = _ease(place - first)[:, None]
    return keys[first % len(keys)] * (1.0 - share) + keys[(first + 1) % len(keys)] * share


def _reached(wrist: Array, pole: Array) -> tuple[Array, Array]:
    """Wrist and elbow (T, 3) of an arm from the origin towards `wrist` (T, 3), the elbow on the side of `pole`."""
    far = np.linalg.norm(wrist, axis=-1, keepdims=True)
    axis = wrist / np.maximum(far, 1e-9)
    far = far.clip(abs(UPPER - LOWER) + 0.02, _STRAIGHTEST * ARM)
    along = (UPPER**2 - LOWER**2 + far**2) / (2.0 * far)
    out = np.sqrt(np.maximum(UPPER**2 - along**2, 0.0))
    pole = pole + _BACK  # decides where a straight arm points at its own pole
    aside = _unit(pole - (pole * axis).sum(-1, keepdims=True) * axis)
    return axis * far, axis * along + aside * out


def _ease(share: Array) -> Array:
    share = np.clip(share, 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _seen_from(turn: Array, vectors: Array) -> Array:
    return np.einsum("tji,tj->ti", turn, vectors)


def _turned(turn: Array, vectors: Array) -> Array:
    return np.einsum("tij,tj->ti", turn, vectors)
