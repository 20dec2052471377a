# SPDX-License-Identifier: GPL-3.0-or-later
"""How feet turn: less on a rig whose feet are long, and level across where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat
from ..shared import skeleton

if TYPE_CHECKING:
    from .body import Body

Array = NDArray[np.floating[Any]]

_FOOT: Final = skeleton.REST_OFFSETS[skeleton.INDEX["left_foot"]]
_FLAT: Final = float(np.arctan2(-_FOOT[1], _FOOT[2]))
_SIDE: Final = np.array([1.0, 0.0, 0.0])
_UP: Final = np.array([0.0, 1.0, 0.0])
_GROUND: Final = np.array([1.0, 0.0, 1.0])
_MOST_ROLL: Final = np.radians(60.0)  # a foot that is rolled further than this is far from the floor
_ROUNDS: Final = 40
_MOST_LEAN: Final = np.radians(45.0)
_STEEP: Final = np.cos(np.radians([65.0, 35.0]))
_ALIKE: Final = np.radians([2.0, 10.0])


def rolled(body: Body, world: Array) -> Array:
    """The joints' world rotations (T, 22, 4) with feet that roll less, where the rig's are longer than ours against its
    legs: with the heel as far up as in the motion. As far turned, they would push the ankle up.
    """
    world = world.copy()
    for joint, share in _long_feet(body):
        world[:, joint] = quat.multiply(_less(world[:, joint], share), world[:, joint])
    return world


def unrolled(body: Body, world: Array) -> Array:
    """What was `rolled`, as it was before."""
    world = world.copy()
    for joint, share in _long_feet(body):
        before = world[:, joint]
        for _ in range(_ROUNDS):
            before = quat.multiply(quat.conjugate(_less(before, share)), world[:, joint])
        world[:, joint] = before
    return world


def levelled(body: Body, world: Array, standing: dict[str, Array]) -> Array:
    """The joints' world rotations (T, 22, 4) with feet that are level from side to side where they stand, as far as the
    rig's feet slope otherwise than ours.

    `standing` holds for each side how much (T; 0..1) its foot stands. No position tells how a foot is turned about its
    own length. On a foot like ours such a turn moves nothing; on a steeper or flatter one it would swing the heel.
    """
    world = world.copy()
    for side, stands in standing.items():
        share = _sloping(body, side)
        for joint in ("ankle", "foot") if share else ():
            foot = world[:, skeleton.INDEX[f"{side}_{joint}"]]
            world[:, skeleton.INDEX[f"{side}_{joint}"]] = quat.multiply(_level(foot, share * stands), foot)
    return world


def _level(foot: Array, weight: Array) -> Array:
    """The turns (T, 4) that make feet (T, 4) level from side to side, as far as they weigh (T)."""
    along = quat.rotate(foot, quat.unit(_FOOT))
    level = quat.cross(_UP, along)
    flat = np.interp(np.linalg.norm(level, axis=-1), _STEEP, (0.0, 1.0))  # what points down has no level
    lean = _angle(quat.rotate(foot, _SIDE), quat.unit(level), along)
    return quat.about(along, weight * flat * np.clip(lean, -_MOST_LEAN, _MOST_LEAN))


def _sloping(body: Body, side: str) -> float:
    """From 0 for a foot that slopes like ours to 1 for one that does not."""
    if not body.has_toe(side):
        return 0.0
    foot = body.flat_foot(side)
    slope = np.arctan2(-foot[1], np.linalg.norm(foot * _GROUND))
    return float(np.interp(abs(slope - _FLAT), _ALIKE, (0.0, 1.0)))


def _long_feet(body: Body) -> list[tuple[int, float]]:
    """Ankles and toes of feet that are longer than ours, and the share of their roll that is left."""
    found = []
    for side in ("left", "right"):
        if not body.has_toe(side):
            continue
        share = float(np.linalg.norm(_FOOT)) * body.scale / float(np.linalg.norm(body.flat_foot(side)))
        if share < 1.0:
            found += [(skeleton.INDEX[f"{side}_{joint}"], share) for joint in ("ankle", "foot")]
    return found


def _less(foot: Array, share: float) -> Array:
    """The turns (T, 4) that take away what a foot (T, 4) of our own length rolls too much for a longer one."""
    across = quat.unit(quat.rotate(foot, _SIDE) * _GROUND)
    along = quat.rotate(foot, _FOOT)
    ahead = np.sum(along * quat.cross(across, _UP), axis=-1)
    roll = np.unwrap(np.arctan2(-along[:, 1], ahead)) - _FLAT
    return quat.about(across, (share - 1.0) * np.clip(roll, 0.0, _MOST_ROLL))


def _angle(start: Array, end: Array, axis: Array) -> Array:
    """From directions to directions (T, 3) about axes (T, 3) at right angles to both, radians."""
    return np.arctan2(np.sum(quat.cross(start, end) * axis, axis=-1), np.sum(start * end, axis=-1))
