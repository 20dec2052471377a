# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions moved on the floor, bridged, and joined without a pop: what editing does before and after the sampling."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from . import quaternions as quat
from .clip import Motion
from .contacts import detect_contacts, held_contacts, lock_feet
from .features import heading
from .rotations import forward_kinematics, rotations_from_positions, world_rotations
from .skeleton import FPS, INDEX, PARENTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating[Any]]
    Mask = NDArray[np.bool_]

FADE: Final = 8
"""Frames within which what is left of a difference at a join fades."""
_SETTLE: Final = 2
"""The same for a motion that has been joined and whose feet have been locked since: longer, and they slide; shorter,
and a knee that is nearly straight jumps.
"""

_LEGS: Final = [INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("hip", "knee", "ankle")]
_UP: Final = np.array([0.0, 1.0, 0.0])
_GROUND: Final = np.array([1.0, 0.0, 1.0])
_PARTS: Final = ("positions", "rotations", "root", "contacts")


def cut(motion: Motion, start: int, stop: int) -> Motion:
    """Frames `start` to `stop`, as in a slice."""
    return replace(motion, **{name: getattr(motion, name)[start:stop] for name in _PARTS})


def in_a_row(*motions: Motion) -> Motion:
    """One after another, as they are."""
    return replace(motions[0], **{name: np.concatenate([getattr(each, name) for each in motions]) for name in _PARTS})


def placed(motion: Motion, frame: int, yaw: float, point: Array) -> Motion:
    """The motion turned about the vertical and moved along the floor, so that in `frame` it faces `yaw` (radians) and
    its pelvis is above `point` (3)."""
    turn = quat.about(_UP, np.array(yaw - heading(motion.positions)[frame]))
    origin = motion.root[frame].astype(np.float64) * _GROUND

    def moved(points: Array) -> NDArray[np.float32]:
        return (quat.rotate(turn, points - origin) + point * _GROUND).astype(np.float32)

    rotations = motion.rotations.astype(np.float64)
    rotations[:, 0] = quat.multiply(turn, rotations[:, 0])
    return replace(
        motion,
        positions=moved(motion.positions),
        rotations=rotations.astype(np.float32),
        root=moved(motion.root),
    )


def following(before: Motion, after: Motion, frames: int) -> Motion:
    """`after` placed so that it goes on from where `before` is heading, `frames` frames later."""
    yaw = float(heading(before.positions)[-1])
    speed = 0.5 * (
        _speed(before.root[-6:]) + quat.rotate(_turn(yaw - heading(after.positions)[0]), _speed(after.root[:6]))
    )
    return placed(after, 0, yaw, before.root[-1] + speed * (frames + 1))


def _turn(yaw: float) -> Array:
    return quat.about(_UP, np.array(yaw))


def _speed(root: Array) -> Array:
    """Mean step (3) a frame."""
    return np.diff(root.astype(np.float64), axis=0).mean(axis=0) if len(root) > 1 else np.zeros(3)


def bridge(before: Motion, after: Motion, frames: int) -> Motion:
    """`frames` frames between the last of one motion and the first of another, turning and moving evenly."""
    share = (np.arange(1, frames + 1) / (frames + 1))[:, None]
    share = share * share * (3.0 - 2.0 * share)
    first, last = (each.rotations[end].astype(np.float64) for each, end in ((before, -1), (after, 0)))
    shape = (frames, *first.shape)
    rotations = quat.slerp(np.broadcast_to(first, shape), np.broadcast_to(last, shape), share)
    root = before.root[-1] + share * (after.root[0] - before.root[-1]).astype(np.float64)
    positions = forward_kinematics(rotations, root)
    contacts = detect_contacts(positions, FPS)
    return Motion(before.fps, positions, rotations.astype(np.float32), root.astype(np.float32), contacts)


def standing(canvas: Motion, made: Motion, free: Mask) -> Motion:
    """As `kept`, with feet that stay where they are while in contact: a foot that stands across a join stands where the
    canvas has it.
    """
    whole = kept(canvas, made, free)
    if not free[:, _LEGS].any():
        return whole
    locked = lock_feet(whole.positions, whole.contacts, whole.fps, ~np.any(free, axis=1))
    world, turned = (world_rotations(each) for each in (whole.rotations, rotations_from_positions(locked)))
    world[:, _LEGS] = turned[:, _LEGS]
    # Feet keep their own turn against the ankle.
    rotations = whole.rotations.astype(np.float64)
    for joint in _LEGS:
        rotations[:, joint] = quat.multiply(quat.conjugate(world[:, PARENTS[joint]]), world[:, joint])
    stood = kept(canvas, replace(whole, rotations=quat.continuous(rotations)), free, _SETTLE)
    # What a join carries along stands no longer: a foot that does stands still.
    held = held_contacts(whole.positions, whole.contacts, whole.fps) * (detect_contacts(stood.positions, FPS) > 0.9)
    touched: Mask = np.any(free, axis=1)
    return replace(stood, contacts=np.where(touched[:, None], held, canvas.contacts).astype(np.float32))


def kept(canvas: Motion, made: Motion, free: Mask, fade: int = FADE) -> Motion:
    """`made` in the free joints (T, 22), `canvas` in all others, to the last bit. Where a joint becomes free it goes on
    as it moved before, and what `made` has there instead comes in gradually, within `fade` frames.
    """
    rotations = made.rotations.astype(np.float64)
    for joint in range(free.shape[1]):
        rotations[:, joint] = _kept_turns(canvas.rotations[:, joint], rotations[:, joint], free[:, joint], fade)
    rotations = quat.continuous(rotations)
    root = _kept_track(canvas.root, made.root, free[:, 0], fade)
    touched: Mask = np.any(free, axis=1)
    positions = forward_kinematics(rotations, root)
    positions[~touched] = canvas.positions[~touched]
    contacts = np.where(touched[:, None], made.contacts, canvas.contacts).astype(np.float32)
    return Motion(canvas.fps, positions, rotations.astype(np.float32), root.astype(np.float32), contacts)


def _kept_turns(canvas: Array, made: Array, free: Mask, fade: int) -> Array:
    """(T, 4) rotations of one joint."""
    given = canvas.astype(np.float64)
    result = np.where(free[:, None], made, given)
    for frames, before, last in _ends(free, fade):
        speed = _vector(given[last], given[before])
        own = _vector(made[frames[1]], made[frames[0]])
        start = quat.multiply(quat.conjugate(_turn_by(own)), made[frames[0]])
        offset = _inertia(_vector(given[last], start), speed - own, len(frames))
        result[frames] = quat.multiply(_turn_by(offset), result[frames])
    return result


def _kept_track(canvas: Array, made: Array, free: Mask, fade: int) -> Array:
    """(T, n) places."""
    given = canvas.astype(np.float64)
    result = np.where(free[:, None], made, given)
    for frames, before, last in _ends(free, fade):
        own = made[frames[1]] - made[frames[0]]
        start = made[frames[0]] - own
        result[frames] += _inertia(given[last] - start, given[last] - given[before] - own, len(frames))
    return result


def _inertia(place: Array, speed: Array, frames: int) -> Array:
    """(frames, n): a difference in place and one in speed (n, a frame), as they fade after a join: the movement goes on
    as it was and comes to the new one without a jump of either.
    """
    reach = frames + 1
    share = (np.arange(1, reach) / reach)[:, None]
    return ((1.0 + 2.0 * share) * place + reach * share * speed) * (1.0 - share) ** 2


def _vector(end: Array, start: Array) -> Array:
    """The turn (4) from one rotation to another as axis times angle (3)."""
    turn = quat.multiply(quat.unit(end.astype(np.float64)), quat.conjugate(quat.unit(start.astype(np.float64))))
    turn = turn if turn[0] >= 0.0 else -turn
    return quat.unit(turn[1:]) * quat.angle(turn)


def _turn_by(vectors: Array) -> Array:
    """Axes times angles (..., 3) -> (..., 4)."""
    angle = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.concatenate((np.cos(angle / 2.0), np.sinc(angle / (2.0 * np.pi)) * vectors / 2.0), axis=-1)


def _ends(free: Mask, fade: int) -> list[tuple[NDArray[np.intp], int, int]]:
    """For each end of each run of free frames that has a known neighbour: the frames of the run in which that end
    fades, outermost first, and the last two known frames before it (once the same, where there is only one). A run
    of a frame or two has no room for it.
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], free, [False])).astype(np.int8))).reshape(-1, 2)
    found = []
    for start, stop in edges:
        reach = min(fade, (stop - start) // 2)
        if start > 0 and reach > 1:
            before = start - 2 if start > 1 and not free[start - 2] else start - 1
            found.append((np.arange(start, start + reach), int(before), int(start - 1)))
        if stop < len(free) and reach > 1:
            before = stop + 1 if stop + 1 < len(free) and not free[stop + 1] else stop
            found.append((np.arange(stop - 1, stop - 1 - reach, -1), int(before), int(stop)))
    return found
