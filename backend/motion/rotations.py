# SPDX-License-Identifier: GPL-3.0-or-later
"""Joint rotations from joint positions, and back.

Positions know the direction of every bone but not its twist. The twist comes from the body: the pelvis and the chest
are frames (hip line, collar line), the spine shares the turn between them, and an elbow or a knee bends about one axis
only, so the plane of a bent limb tells how the upper bone is twisted. Where a limb is nearly straight, that plane is
carried along by parallel transport inside the frame of the pelvis or chest.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import quaternions as quat
from .skeleton import BONE_LENGTHS, INDEX, PARENTS, REST_OFFSETS

Array = NDArray[np.floating[Any]]
Complex = NDArray[np.complex128]

_X, _Y = np.eye(3)[:2]


class _Limb(NamedTuple):
    """An arm or a leg: its three joints, the joint whose frame carries it, and its hinge axis in the T-pose."""

    upper: int
    lower: int
    end: int
    carrier: int
    hinge: Array
    is_leg: bool


# The hinge is upper bone x lower bone when the limb is bent: elbows bend forwards, knees backwards.
_LIMBS: Final = (
    _Limb(INDEX["left_shoulder"], INDEX["left_elbow"], INDEX["left_wrist"], INDEX["spine3"], -_Y, False),
    _Limb(INDEX["right_shoulder"], INDEX["right_elbow"], INDEX["right_wrist"], INDEX["spine3"], _Y, False),
    _Limb(INDEX["left_hip"], INDEX["left_knee"], INDEX["left_ankle"], INDEX["pelvis"], _X, True),
    _Limb(INDEX["right_hip"], INDEX["right_knee"], INDEX["right_ankle"], INDEX["pelvis"], _X, True),
)
_FEET: Final = {INDEX["left_ankle"]: INDEX["left_foot"], INDEX["right_ankle"]: INDEX["right_foot"]}

# A limb's plane counts fully from a bend of 28 degrees and not at all below 8: there it is noise, or a joint that
# is slightly overstretched and points the other way.
_STRAIGHT, _BENT = np.radians([8.0, 28.0])
# Stiffness of the twist from frame to frame, and the pull of the relaxed hinge, against sin(bend)^2 of the data.
_STIFFNESS: Final = 0.7
_RELAXED: Final = 2e-3


def forward_kinematics(rotations: Array, root: Array) -> Array:
    """Joint positions (T, 22, 3) of local rotations (T, 22, 4) and pelvis positions (T, 3), metres.

    Bone lengths are those of the canonical skeleton.
    """
    turns = world_rotations(rotations)
    positions = np.zeros((*turns.shape[:-1], 3))
    positions[:, 0] = root
    for joint, parent in enumerate(PARENTS[1:], start=1):
        positions[:, joint] = positions[:, parent] + quat.rotate(turns[:, parent], REST_OFFSETS[joint])
    return positions.astype(np.float32)


def world_rotations(rotations: Array) -> Array:
    """Local rotations (T, 22, 4) accumulated from the pelvis outwards: each joint against the T-pose, float64."""
    world = np.array(rotations, dtype=np.float64)
    for joint, parent in enumerate(PARENTS[1:], start=1):
        world[:, joint] = quat.multiply(world[:, parent], world[:, joint])
    return world


def rotations_from_positions(positions: Array) -> Array:
    """Local unit quaternions (T, 22, 4; w, x, y, z; float32) of joint positions (T, 22, 3), Y up.

    Bone directions are kept exactly (but the hips and collars, which the pelvis and the chest hold rigidly), bone
    lengths are dropped: `forward_kinematics` of the result is the same pose with canonical bone lengths.
    Signs are continuous in time; wrists, toes and head stay at rest in the frame of their parent bone.
    """
    p = np.asarray(positions, dtype=np.float64)
    world = np.zeros((*p.shape[:2], 4))
    world[..., 0] = 1.0

    hips = p[:, INDEX["left_hip"]] - p[:, INDEX["right_hip"]]
    collars = p[:, INDEX["left_collar"]] - p[:, INDEX["right_collar"]]
    pelvis, spine1, spine2, chest, neck, head = (
        INDEX[name] for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
    )
    # The hip line outranks the spine in the pelvis; everywhere else the bone outranks the line across it.
    world[:, pelvis] = _frame(hips, _X, p[:, spine1] - p[:, pelvis], _Y)
    world[:, chest] = _frame(p[:, neck] - p[:, chest], _Y, collars, _X)
    below = np.cumsum(BONE_LENGTHS[[spine1, spine2, chest]])
    for joint, child, share in ((spine1, spine2, below[0] / below[2]), (spine2, chest, below[1] / below[2])):
        across = quat.rotate(quat.slerp(world[:, pelvis], world[:, chest], share), _X)
        world[:, joint] = _frame(p[:, child] - p[:, joint], _Y, across, _X)
    world[:, neck] = _frame(p[:, head] - p[:, neck], REST_OFFSETS[head], quat.rotate(world[:, chest], _X), _X)
    world[:, head] = world[:, neck]

    for collar, shoulder in ((INDEX[f"{side}_collar"], INDEX[f"{side}_shoulder"]) for side in ("left", "right")):
        inside = quat.rotate(quat.conjugate(world[:, chest]), quat.unit(p[:, shoulder] - p[:, collar]))
        swing = quat.between(np.broadcast_to(quat.unit(REST_OFFSETS[shoulder]), inside.shape), inside)
        world[:, collar] = quat.multiply(world[:, chest], swing)

    hinges = _limb_hinges(p, world)
    for limb, hinge in zip(_LIMBS, hinges, strict=True):
        for joint, child in ((limb.upper, limb.lower), (limb.lower, limb.end)):
            world[:, joint] = _frame(p[:, child] - p[:, joint], REST_OFFSETS[child], hinge, limb.hinge)
        world[:, limb.end] = world[:, limb.lower]
        if limb.is_leg:
            toe = _FEET[limb.end]
            world[:, limb.end] = _frame(p[:, toe] - p[:, limb.end], REST_OFFSETS[toe], hinge, limb.hinge)
            world[:, toe] = world[:, limb.end]

    local = world.copy()
    parents = list(PARENTS[1:])
    local[:, 1:] = quat.multiply(quat.conjugate(world[:, parents]), world[:, 1:])
    return quat.continuous(local).astype(np.float32)


def _frame(first: Array, rest_first: Array, second: Array, rest_second: Array) -> Array:
    """World rotations (T, 4) that turn `rest_first` exactly onto `first`, and `rest_second` as near as can be."""
    moved, rest = _basis(first, second), _basis(rest_first, rest_second)
    return quat.from_matrix(moved @ np.swapaxes(rest, -1, -2))


def _basis(first: Array, second: Array) -> Array:
    """Orthonormal columns: `first`, the part of `second` across it, and their cross product."""
    a = quat.unit(first)
    b = quat.unit(second - np.sum(a * second, axis=-1, keepdims=True) * a)
    return np.stack((a, b, quat.cross(a, b)), axis=-1)


def _limb_hinges(p: Array, world: Array) -> list[Array]:
    """For each limb the hinge direction (T, 3) in the world, at right angles to its upper bone."""
    swings: list[Array] = []
    planes: list[Complex] = []
    weights: list[Array] = []
    drifts: list[Complex] = []
    for limb in _LIMBS:
        into = quat.conjugate(world[:, limb.carrier])
        upper = quat.rotate(into, quat.unit(p[:, limb.lower] - p[:, limb.upper]))
        lower = quat.rotate(into, quat.unit(p[:, limb.end] - p[:, limb.lower]))
        swing = quat.between(np.broadcast_to(quat.unit(REST_OFFSETS[limb.lower]), upper.shape), upper)
        swings.append(swing)
        # All twists are angles about the upper bone, as complex numbers; 1 is the hinge carried by the swing alone.
        relaxed = quat.rotate(swing, limb.hinge)
        across = quat.cross(upper, lower)
        sine = np.linalg.norm(across, axis=-1)
        cosine = np.sum(upper * lower, axis=-1)
        plane = _twist(quat.unit(across), relaxed, upper)
        weight = sine**2 * _smoothstep((np.arctan2(sine, cosine) - _STRAIGHT) / (_BENT - _STRAIGHT))
        if limb.is_leg:  # no hip twists a knee past a right angle: such a plane is an overstretched knee
            weight *= _smoothstep(2.0 * plane.real + 1.0)
        planes.append(plane)
        weights.append(weight)
        # How far the swing alone turns from each frame to the next against parallel transport.
        carry = quat.between(upper[:-1], upper[1:])
        drifts.append(_twist(quat.rotate(carry, relaxed[:-1]), relaxed[1:], upper[1:]))

    gauge = np.cumprod(np.concatenate((np.ones((1, len(_LIMBS))), np.stack(drifts, axis=-1))), axis=0)
    gauge = gauge / np.maximum(np.abs(gauge), 1e-12)
    weight = np.stack(weights, axis=-1)
    target: Complex = (weight * np.stack(planes, axis=-1) + _RELAXED) * np.conj(gauge)
    twist = np.angle(_smooth(weight + _RELAXED, target, _STIFFNESS) * gauge)

    hinges = []
    for index, limb in enumerate(_LIMBS):
        upper = quat.rotate(swings[index], quat.unit(REST_OFFSETS[limb.lower]))
        inside = quat.rotate(quat.about(upper, twist[:, index]), quat.rotate(swings[index], limb.hinge))
        hinges.append(quat.rotate(world[:, limb.carrier], inside))
    return hinges


def _twist(direction: Array, zero: Array, axis: Array) -> Complex:
    """The angle (T) of `direction` about `axis`, counted from `zero`, as unit complex numbers (or 0 for none)."""
    number = np.sum(direction * zero, axis=-1) + 1j * np.sum(direction * quat.cross(axis, zero), axis=-1)
    return (number / np.maximum(np.abs(number), 1e-12)).astype(np.complex128)


def _smoothstep(x: Array) -> Array:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def _smooth(weights: Array, weighted: Complex, stiffness: float) -> Complex:
    """Minimises sum w |z - target|^2 + stiffness sum |z[t+1] - z[t]|^2 over z (T, n), given w and w * target.

    A tridiagonal system for each column, solved by elimination.
    """
    frames = len(weights)
    ends = np.full((frames, 1), 2.0)
    ends[0] -= 1.0
    ends[-1] -= 1.0
    diagonal = weights + stiffness * ends
    right = weighted.copy()
    for t in range(1, frames):
        factor = stiffness / diagonal[t - 1]
        diagonal[t] -= factor * stiffness
        right[t] += factor * right[t - 1]
    for t in range(frames - 1, -1, -1):
        if t + 1 < frames:
            right[t] += stiffness * right[t + 1]
        right[t] /= diagonal[t]
    return right
