# SPDX-License-Identifier: GPL-3.0-or-later
"""Few keys instead of one a frame: what lies between them stays within a tolerance. Pure numpy.

Keys of all components of a property lie on the same frames. A span is given one more key where it is furthest off
(Douglas and Peucker, 1973), until it is near enough everywhere; then keys that turn out to be needless go again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat

if TYPE_CHECKING:
    from .channels import Channel

Array = NDArray[np.floating[Any]]

_THIRD: Final = 1.0 / 3.0


class Interpolation(StrEnum):
    """What curves do between keys."""

    LINEAR = "LINEAR"
    BEZIER = "BEZIER"


@dataclass(frozen=True)
class Keying:
    """How channels become keys. `tolerance` is how far off the pose may be between keys: `degrees` for rotations,
    `metres` (of a figure of the motion's size) for locations; None makes one key a frame.
    """

    interpolation: Interpolation = Interpolation.LINEAR
    degrees: float | None = None
    metres: float = 0.005


EVERY_FRAME: Final = Keying()


@dataclass(frozen=True, eq=False)
class Curves:
    """Keys of one property. `rows` (K) are those of the channel that became keys, `values` (K, n) their values and
    `slopes` (K, n) the tangents there, a frame; without slopes the curves are linear.
    """

    rows: NDArray[np.intp]
    values: Array
    slopes: Array | None


def fitted(channel: Channel, frames: Array, keying: Keying) -> Curves:
    """The keys of a channel whose rows lie at `frames` (T)."""
    values = np.asarray(channel.values, np.float64)
    rows = np.arange(len(values))
    frames = np.asarray(frames, np.float64)[: len(values)]
    slopes = _slopes(frames, values) if keying.interpolation is Interpolation.BEZIER and len(values) > 1 else None
    if keying.degrees is None or len(values) < 3:
        return Curves(rows, values, slopes)
    turns = channel.path.startswith("rotation")
    limit = float(np.radians(keying.degrees)) if turns else keying.metres * channel.unit
    rows = _chosen(frames, values, slopes, channel.path, limit)
    return Curves(rows, values[rows], None if slopes is None else slopes[rows])


def handles(frames: Array, curves: Curves) -> tuple[Array, Array] | None:
    """Left and right handles (K, n, 2: frame, value) of Bezier keys at `frames` (K), None for linear ones.

    Each lies a third of the way to its neighbour, so that curves are cubic in time (Hermite's form).
    """
    slopes = curves.slopes
    if slopes is None:
        return None
    steps = np.diff(frames)
    before = _THIRD * np.concatenate((steps[:1], steps))
    after = _THIRD * np.concatenate((steps, steps[-1:]))

    def at(shift: Array) -> Array:
        place = np.broadcast_to((frames + shift)[:, None], curves.values.shape)
        return np.stack((place, curves.values + shift[:, None] * slopes), axis=-1)

    return at(-before), at(after)


def between(frames: Array, curves: Curves, at: Array) -> Array:
    """What the curves with keys at `frames` (K) are worth at the frames `at` (T): (T, n)."""
    first = np.clip(np.searchsorted(frames, at, side="right") - 1, 0, len(frames) - 2)
    length = (frames[first + 1] - frames[first])[:, None]
    u = (at[:, None] - frames[first][:, None]) / length
    one, two = curves.values[first], curves.values[first + 1]
    if curves.slopes is None:
        return one + u * (two - one)
    return _hermite(u, length, one, two, curves.slopes[first], curves.slopes[first + 1])


def _hermite(u: Array, length: Array, one: Array, two: Array, slope: Array, slope_two: Array) -> Array:
    rise = u * u * (3.0 - 2.0 * u)
    return one + rise * (two - one) + u * (1.0 - u) * length * ((1.0 - u) * slope - u * slope_two)


def _slopes(frames: Array, values: Array) -> Array:
    """Tangents (T, n) by central differences, the ends' by one-sided ones."""
    return np.gradient(values, frames, axis=0)


def _errors(kind: str, wanted: Array, made: Array) -> Array:
    """How far off (T) values (T, n) are: radians or lengths. For Euler angles never less than the turn between."""
    if kind == "rotation_quaternion":
        return quat.angle(quat.multiply(quat.conjugate(quat.unit(wanted)), quat.unit(made)))
    if kind == "rotation_axis_angle":
        turns = [quat.about(quat.unit(each[:, 1:]), each[:, 0]) for each in (wanted, made)]
        return quat.angle(quat.multiply(quat.conjugate(turns[0]), turns[1]))
    if kind == "rotation_euler":
        return np.abs(made - wanted).sum(axis=-1)
    return np.linalg.norm(made - wanted, axis=-1)


def _chosen(frames: Array, values: Array, slopes: Array | None, kind: str, limit: float) -> NDArray[np.intp]:
    """The rows that must be keys."""

    def worst(start: int, stop: int) -> tuple[float, int]:
        """The largest error between two neighbouring keys, and its row."""
        if stop - start < 2:
            return 0.0, start
        pair = np.array([start, stop])
        span = Curves(pair, values[pair], None if slopes is None else slopes[pair])
        inside = np.arange(start + 1, stop)
        errors = _errors(kind, values[inside], between(frames[pair], span, frames[inside]))
        at = int(np.argmax(errors))
        return float(errors[at]), int(inside[at])

    keys = [0]
    open_spans = [(0, len(values) - 1)]
    while open_spans:
        start, stop = open_spans.pop()
        error, row = worst(start, stop)
        if error > limit:
            open_spans += [(row, stop), (start, row)]
        else:
            keys.append(stop)
    kept = keys[:1]
    for row, following in pairwise(keys[1:]):
        if worst(kept[-1], following)[0] > limit:
            kept.append(row)
    return np.array([*kept, keys[-1]])
