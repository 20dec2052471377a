# SPDX-License-Identifier: GPL-3.0-or-later
"""Limbs that the rig itself moves by inverse kinematics: their targets and poles are put where the limb should be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat
from .families import known_families
from .options import Limbs

if TYPE_CHECKING:
    from .body import Body
    from .bone_map import BoneMap
    from .pose import Pose
    from .rest_pose import RestPose

Array = NDArray[np.floating[Any]]

_LIMBS: Final = (("hip", "knee", "ankle", "foot"), ("shoulder", "elbow", "wrist", ""))
_STRAIGHT: Final = 0.02  # of the limb's length: how far it has to be bent for its plane to be sure


@dataclass(frozen=True)
class Controls:
    """What moves the limbs: `without_keys` are mapped bones that need no keys of their own, `switches` the custom
    properties to key (bone -> property -> value), `stretched` the bones that would rather stretch than bend.
    """

    switches: dict[str, dict[str, float]]
    without_keys: set[int] = field(default_factory=set)
    stretched: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class _Limb:
    """Bones of a limb that inverse kinematics moves; -1 for none. `upper` and `lower` are those that it turns."""

    upper: int
    lower: int
    target: int
    pole: int
    tip: int = -1


def drive_ik(body: Body, pose: Pose, bone_map: BoneMap, limbs: Limbs) -> Controls:
    """Sets targets and poles, given limbs that are turned already.

    A target moves with the foot or hand, as if it were a part of it, and a pole lies in the plane that the limb bends
    in. With `Limbs.IK` control rigs that have both kinds of controls are switched to inverse kinematics.
    """
    controls = Controls({bone: dict(values) for bone, values in bone_map.switches.items()})
    for side in ("left", "right"):
        for names in _LIMBS:
            joints = [f"{side}_{name}" for name in names if name]
            if any(joint not in body.joints for joint in joints[:3]):
                continue
            limb = _own_ik(body, joints) or (limbs is Limbs.IK and _chosen_ik(body, bone_map, joints, side))
            if not limb:
                continue
            _drive(body, pose, joints, limb)
            controls.stretched.update({limb.upper, limb.lower} & body.rest.stretched)
            controls.without_keys.update(body.joints[joint] for joint in joints[:2])
            if limb.tip >= 0 and joints[-1] in body.joints:
                toe = body.joints[joints[-1]]
                pose.turned[limb.tip] = quat.multiply(pose.turn(toe), pose.rest_rotation(limb.tip))
                controls.without_keys.add(toe)
            if limb.target not in (body.joints[joints[2]], *body.rest.carried_by(body.joints[joints[2]])):
                controls.without_keys.add(body.joints[joints[2]])
    if controls.without_keys and limbs is Limbs.IK:
        _switch(bone_map, controls.switches)
    return controls


def _own_ik(body: Body, joints: list[str]) -> _Limb | None:
    """A limb whose bones carry an inverse kinematics constraint that is always on."""
    upper, lower = (body.joints[joint] for joint in joints[:2])
    if lower not in body.rest.ik:
        return None
    return _Limb(upper, lower, *body.rest.ik[lower])


def _chosen_ik(body: Body, bone_map: BoneMap, joints: list[str], side: str) -> _Limb | None:
    """The controls that the rig's family has for this limb."""
    family = next((each for each in known_families() if each.name == bone_map.family), None)
    if family is None:
        return None
    rest = body.rest
    limb = family.ik.get((side, "leg" if joints[0].endswith("hip") else "arm"), {})
    found = {part: rest.index.get(name, -1) for part, name in limb.items()}
    if any(found.get(part, -1) < 0 for part in ("upper", "lower", "target")):
        return None
    return _Limb(found["upper"], found["lower"], found["target"], found.get("pole", -1), found.get("tip", -1))


def _switch(bone_map: BoneMap, switches: dict[str, dict[str, float]]) -> None:
    """The properties that hand the limbs over, in place of those for forward kinematics."""
    family = next((each for each in known_families() if each.name == bone_map.family), None)
    wanted = family.ik_switches if family else {}
    limbs = [values for values in switches.values() if set(values) & set(wanted)]
    for values in limbs:
        values.update(wanted)


def _drive(body: Body, pose: Pose, joints: list[str], limb: _Limb) -> None:
    rest, heads = body.rest, body.rest.heads
    upper, lower, end = (body.joints[joint] for joint in joints[:3])
    shoulder, elbow = pose.head(upper), pose.head(lower)
    wrist = elbow + quat.rotate(pose.turn(lower), heads[end] - heads[lower])
    turn, swing = pose.turn(end), pose.turn(upper)
    pose.turned[limb.target] = quat.multiply(turn, pose.rest_rotation(limb.target))
    pose.place(limb.target, wrist + quat.rotate(turn, heads[limb.target] - heads[end]))
    if limb.pole >= 0:
        line, bent = heads[end] - heads[upper], heads[lower] - heads[upper]
        length = float(np.linalg.norm(line))
        at_rest = quat.rotate(swing, quat.unit(_across(bent, line)))
        # A straight limb has no plane of its own; it goes with the upper bone.
        bend = _across(elbow - shoulder + _STRAIGHT * length * at_rest, wrist - shoulder)
        along = quat.unit(wrist - shoulder)
        bound = rest.bound or rest
        turn = _pole_turn(bound, limb, bound.heads[end], _bend(shoulder, elbow, wrist))
        direction = quat.rotate(quat.about(along, turn), quat.unit(bend))
        reach = np.linalg.norm(_across(heads[limb.pole] - heads[upper], line))
        pose.place(limb.pole, shoulder + (wrist - shoulder) / 2.0 + max(float(reach), length) * direction)


def _pole_turn(rest: RestPose, limb: _Limb, end: Array, bend: Array) -> Array:
    """The angle (T) about the limb's line from where it bends to where its pole is wanted, when it is bent by `bend`
    (T; radians). `end` (3) is where the limb ends at rest.

    Blender turns the chain as it is before bending, so that the side of its first bone that the pole angle names
    faces the pole. Then it bends the limb: in the plane in which it is bent already, or about the X axis of a lower
    bone that can do nothing else, which leads out of that plane where the axis is askew to it.
    """
    still = np.zeros(len(bend))
    heads = rest.heads
    upper, lower = heads[limb.lower] - heads[limb.upper], end - heads[limb.lower]
    line, angle = upper + lower, rest.pole_angles.get(limb.lower)
    if angle is None or np.linalg.norm(_across(upper, line)) < 1e-6 * np.linalg.norm(line):
        return still
    axes = rest.matrices[limb.upper, :3, :3]
    side = _across(np.cos(angle) * axes[:, 0] + np.sin(angle) * axes[:, 2], line)
    plane = np.broadcast_to(_across(upper, line), (len(bend), 3))
    if limb.lower in rest.hinges:
        plane = _bent_about(quat.unit(rest.matrices[limb.lower, :3, 0]), upper, lower, bend)
    return np.arctan2(quat.cross(plane, side) @ quat.unit(line), plane @ side)


def _bent_about(hinge: Array, upper: Array, lower: Array, bend: Array) -> Array:
    """Where (T, 3) a limb bulges off its line, if `lower` is turned about the `hinge` until the limb is bent by `bend`
    (T) and the whole limb then back onto its line at rest, about the same axis as far as that goes.
    """
    line = upper + lower
    one, other = quat.unit(upper), quat.unit(lower)
    # The cosine of the bend is constant + even cos(angle) + odd sin(angle).
    constant = float((one @ hinge) * (other @ hinge))
    even, odd = float(one @ other) - constant, float(one @ quat.cross(hinge, other))
    straight, size = np.arctan2(odd, even), np.hypot(even, odd)
    sign = -1.0 if straight > 0.0 else 1.0
    angle = straight + sign * np.arccos(np.clip((np.cos(bend) - constant) / max(size, 1e-12), -1.0, 1.0))
    lowered = quat.rotate(quat.about(hinge, angle), lower)
    reached = _across(upper + lowered, hinge)
    level = _across(line, hinge)
    back = np.arctan2(quat.cross(reached, level) @ hinge, reached @ level)
    turn = quat.about(hinge, back)
    whole = quat.rotate(turn, upper + lowered)
    aligned = quat.between(quat.unit(whole), quat.unit(np.broadcast_to(line, whole.shape)))
    return _across(quat.rotate(aligned, quat.rotate(turn, upper)), line)


def _bend(start: Array, middle: Array, end: Array) -> Array:
    """By how much (T) limbs are bent, 0 for straight ones."""
    upper, lower = middle - start, end - middle
    return np.arctan2(np.linalg.norm(quat.cross(upper, lower), axis=-1), np.sum(upper * lower, axis=-1))


def _across(vectors: Array, line: Array) -> Array:
    """The part of vectors (..., 3) at right angles to lines (..., 3)."""
    along = quat.unit(line)
    return vectors - np.sum(vectors * along, axis=-1, keepdims=True) * along
