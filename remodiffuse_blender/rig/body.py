# SPDX-License-Identifier: GPL-3.0-or-later
"""`Body`: the figure that a rig's mapped bones draw at rest, measured against the canonical skeleton.

Canonical axes are the motion's: X left, Y up, Z forwards. `Body.axes` leads from them into armature space, so that a
rig may stand, lie and face wherever it likes in its own space.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat
from ..shared import skeleton
from . import mirror
from .axes import TO_BLENDER
from .stance import standing

if TYPE_CHECKING:
    from .bone_map import BoneMap
    from .rest_pose import RestPose

Array = NDArray[np.floating[Any]]

_UP_SNAP, _SIDE_SNAP = np.cos(np.radians([30.0, 15.0]))
_NEAR: Final = 0.15  # of the leg's length
_STUB: Final = 0.5  # of our own foot's length
_HANGING: Final = 0.2  # of the foot's length: a foot that reaches less far along the floor hangs down at rest
_OFFSETS: Final = skeleton.REST_OFFSETS
_INDEX: Final = skeleton.INDEX
LEG_LENGTH: Final = float(skeleton.BONE_LENGTHS[_INDEX["left_knee"]] + skeleton.BONE_LENGTHS[_INDEX["left_ankle"]])
"""Thigh and shin of the canonical skeleton, metres."""
ANKLE_HEIGHT: Final = skeleton.TOE_HEIGHT - float(_OFFSETS[_INDEX["left_foot"], 1])


@dataclass(frozen=True, eq=False)
class Body:
    """`joints` maps the mapped joints to bone indices. Lengths are in armature units.

    `axes` (3, 3) turns canonical axes into armature space; `scale` is armature units a canonical metre, by leg
    length; `ground` (3) is the point of the floor below the hips and `ankle_height` that of the ankles above it.
    `to_armature` (3, 3) and `origin` (3) say where in armature space a motion takes place: as `axes` and `ground`,
    unless it begins elsewhere. `rest` is the armature as it stands in its reference pose; the joints of `reference`
    need no correction from there.
    """

    rest: RestPose
    joints: dict[str, int]
    axes: Array
    scale: float
    ground: Array
    ankle_height: float
    to_armature: Array
    origin: Array
    reference: frozenset[str] = frozenset()

    def head(self, joint: str) -> Array:
        """Rest position (3) of a mapped joint in armature space."""
        return self.rest.heads[self.joints[joint]]

    def hips_middle(self) -> Array:
        """The point (3) halfway between the hip joints, in armature space."""
        return (self.head("left_hip") + self.head("right_hip")) / 2.0

    def direction(self, start: str, end: str) -> Array:
        """From one mapped joint to another at rest, canonical axes, armature units."""
        return self.axes.T @ (self.head(end) - self.head(start))

    def has_toe(self, side: str) -> bool:
        """Whether a bone starts where the foot touches the floor in front; one that starts at the ankle is none."""
        head = {joint: self.rest.heads[bone] for joint, bone in self.joints.items()}
        return _has_toe(head, side, self.scale)

    def flat_foot(self, side: str) -> Array:
        """From the ankle to the toe (3) of a foot that stands flat; canonical axes, armature units."""
        return _flat(self.direction(f"{side}_ankle", f"{side}_foot"))

    @cached_property
    def corrections(self) -> dict[str, Array]:
        """For each mapped joint the rotation (4; canonical axes) from the rig's rest pose to the canonical T-pose."""
        return _corrections(self) | dict.fromkeys(self.reference, np.array([1.0, 0.0, 0.0, 0.0]))

    @cached_property
    def headings(self) -> dict[str, Array]:
        """For each ankle the turn (4) about the vertical that makes its foot point forwards at rest; an ankle whose
        foot points nowhere in particular is left out.
        """
        return _headings(self)


def measure(rest: RestPose, bone_map: BoneMap) -> Body:
    """Raises KeyError if the bone map lacks a required joint or names a bone that the rig does not have."""
    joints = {joint: rest.index[bone] for joint, bone in bone_map.bones.items()}
    reference = _reference(rest, bone_map)
    rest = standing(rest, {joints[joint]: turn for joint, turn in reference.items()})
    head = {joint: rest.heads[bone] for joint, bone in joints.items()}
    axes = body_axes(head)
    up = axes[:, 1]
    legs = [
        np.linalg.norm(head[f"{side}_knee"] - head[f"{side}_hip"])
        + np.linalg.norm(head[f"{side}_ankle"] - head[f"{side}_knee"])
        for side in ("left", "right")
    ]
    leg = float(np.mean(legs))
    scale = leg / LEG_LENGTH
    ankles = float(np.mean([head["left_ankle"] @ up, head["right_ankle"] @ up]))
    sides = [side for side in ("left", "right") if _has_toe(head, side, scale)]
    feet = [head[f"{side}_foot"] - head[f"{side}_ankle"] for side in sides]
    drops = [float(_flat(axes.T @ foot)[1]) - skeleton.TOE_HEIGHT * scale for foot in feet]
    sole = ankles + (min(float(np.mean(drops)), 0.0) if drops else -ANKLE_HEIGHT * scale)
    floor = _floor(rest, up, sole, leg)
    # Rigs are made to stand on their origin; then the height of the ankle is known exactly. Else it is estimated.
    ankle_height = ankles - (floor if abs(sole - floor) < _NEAR * leg else sole)
    middle = (head["left_hip"] + head["right_hip"]) / 2.0
    ground = middle + (floor - middle @ up) * up
    return Body(rest, joints, axes, scale, ground, max(ankle_height, 0.0), axes, ground, frozenset(reference))


def _reference(rest: RestPose, bone_map: BoneMap) -> dict[str, Array]:
    """The turns (4; armature axes) of mapped joints from the rest pose into the reference pose."""
    turns = {
        joint: np.array(bone_map.reference[bone])
        for joint, bone in bone_map.bones.items()
        if bone in bone_map.reference
    }
    return {joint: mirror.turns(turn) for joint, turn in turns.items()} if rest.mirrored else turns


def at_world_origin(body: Body) -> Body:
    """The same figure for a motion that takes place around the world's origin and faces -Y there."""
    world = body.rest.world
    size = np.linalg.norm(world[:3, :3], axis=0)
    turn = world[:3, :3] / np.maximum(size, 1e-12)
    origin = np.linalg.solve(world[:3, :3], -world[:3, 3])
    return replace(body, to_armature=turn.T @ TO_BLENDER, origin=origin)


def body_axes(head: dict[str, Array]) -> Array:
    """(3, 3): left, up and forwards as columns, from the heads of mapped joints, in armature space.

    Rigs are modelled along the axes, so directions near an axis are taken as that axis: a head that leans a little
    must not make the walk climb.
    """
    pairs = [(f"left_{j}", f"right_{j}") for j in ("hip", "shoulder", "knee", "elbow") if f"left_{j}" in head]
    left = sum((quat.unit(head[a] - head[b]) for a, b in pairs), np.zeros(3))
    hips = (head["left_hip"] + head["right_hip"]) / 2.0
    up = _snapped(quat.unit(head["head"] - hips), _UP_SNAP)
    left = quat.unit(left - (left @ up) * up)
    snapped = _snapped(left, _SIDE_SNAP)
    left = snapped if abs(snapped @ up) < 1e-6 else left
    return np.stack((left, up, np.cross(left, up)), axis=1)


def _corrections(body: Body) -> dict[str, Array]:
    """Limbs and neck are turned onto the canonical directions by the shortest arc, joint after joint, and the spine as
    one piece, which keeps its curve. Collars and head keep their posture, and feet their pitch: a rig's foot stands
    flat at rest as it is, only its heading is aligned; but one that hangs straight down is turned up.
    """
    one = np.array([1.0, 0.0, 0.0, 0.0])
    turns = dict.fromkeys(body.joints, one)
    first = next((joint for joint in ("spine1", "spine2", "spine3") if joint in body.joints), "pelvis")
    top = "neck" if "neck" in body.joints else "head"
    spine = _arc(one, body.direction(first, top), np.array([0.0, 1.0, 0.0]))
    turns |= {joint: spine for joint in ("spine1", "spine2", "spine3") if joint in body.joints}
    if "neck" in body.joints:
        turns["neck"] = _arc(one, body.direction("neck", "head"), _OFFSETS[_INDEX["head"]])
    for side in ("left", "right"):
        for upper, lower, end, tip in (("hip", "knee", "ankle", "foot"), ("shoulder", "elbow", "wrist", "")):
            above, middle, below = f"{side}_{upper}", f"{side}_{lower}", f"{side}_{end}"
            turns[above] = _arc(one, body.direction(above, middle), _OFFSETS[_INDEX[middle]])
            turns[middle] = turns[above]
            if below not in body.joints:
                continue
            turns[middle] = _arc(turns[above], body.direction(middle, below), _OFFSETS[_INDEX[below]])
            turns[below] = turns[middle]
            if upper == "hip":
                turns[below] = one
                if f"{side}_{tip}" in body.joints:
                    along = body.direction(below, f"{side}_{tip}")
                    turns[below] = body.headings.get(below, _arc(one, along, _flat(along)))
                    turns[f"{side}_{tip}"] = turns[below]
    return turns


def _arc(before: Array, rest: Array, wanted: Array) -> Array:
    """The turn `before`, and on top of it the smallest one that brings `rest` onto `wanted`."""
    return quat.multiply(quat.between(quat.unit(quat.rotate(before, rest)), quat.unit(wanted)), before)


def _has_toe(head: dict[str, Array], side: str, scale: float) -> bool:
    if f"{side}_foot" not in head:
        return False
    length = float(np.linalg.norm(head[f"{side}_foot"] - head[f"{side}_ankle"]))
    return length > _STUB * scale * float(skeleton.BONE_LENGTHS[_INDEX["left_foot"]])


def _flat(foot: Array) -> Array:
    """A foot at rest (3; canonical axes) as it stands flat. Some skeletons let it hang straight down at rest: then it
    is as our own foot.
    """
    length = np.linalg.norm(foot)
    if np.linalg.norm(foot * [1.0, 0.0, 1.0]) > _HANGING * length:
        return foot
    return length * quat.unit(_OFFSETS[_INDEX["left_foot"]] * [0.0, 1.0, 1.0])


def _headings(body: Body) -> dict[str, Array]:
    turns = {}
    for side in ("left", "right"):
        if f"{side}_foot" not in body.joints:
            continue
        along = body.direction(f"{side}_ankle", f"{side}_foot")
        level = along * [1.0, 0.0, 1.0]
        if level[2] > 0.5 * np.linalg.norm(along):
            turns[f"{side}_ankle"] = quat.between(quat.unit(level), np.array([0.0, 0.0, 1.0]))
    return turns


def _snapped(direction: Array, cosine: float) -> Array:
    """The nearest armature axis, if it is near enough."""
    axis = int(np.argmax(np.abs(direction)))
    if abs(direction[axis]) < cosine:
        return direction
    return np.eye(3)[axis] * np.sign(direction[axis])


def _floor(rest: RestPose, up: Array, sole: float, leg: float) -> float:
    """Height of the floor along `up` in armature space: that of the origin, or of the soles if the object was moved
    so that they stand on the world's floor.
    """
    if abs(sole) < _NEAR * leg:
        return 0.0
    world_up = rest.world[:3, :3].T @ np.array([0.0, 0.0, 1.0])
    lift = float(np.linalg.norm(rest.world[:3, :3] @ up))
    if abs(quat.unit(world_up) @ up) > _UP_SNAP and abs(sole * lift + rest.world[2, 3]) < _NEAR * leg * lift:
        return sole
    return 0.0
