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
    properties to key (bone -> property -> value).
    """

    switches: dict[str, dict[str, float]]
    without_keys: set[int] = field(default_factory=set)


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
        direction = quat.rotate(quat.about(along, np.array(_pole_turn(rest, limb, line, bent))), quat.unit(bend))
        reach = np.linalg.norm(_across(heads[limb.pole] - heads[upper], line))
        pose.place(limb.pole, shoulder + (wrist - shoulder) / 2.0 + max(float(reach), length) * direction)


def _pole_turn(rest: RestPose, limb: _Limb, line: Array, bent: Array) -> float:
    """The angle about the limb's line from where it bends to where its pole is wanted.

    Blender turns the chain as it is before bending, so that the side of its first bone that the pole angle names
    faces the pole; the limb then bends in the plane in which it is bent already.
    """
    angle = rest.pole_angles.get(limb.lower)
    if angle is None or np.linalg.norm(_across(bent, line)) < 1e-6 * np.linalg.norm(line):
        return 0.0
    axes = rest.matrices[limb.upper, :3, :3]
    side = _across(np.cos(angle) * axes[:, 0] + np.sin(angle) * axes[:, 2], line)
    plane, along = _across(bent, line), quat.unit(line)
    return float(np.arctan2(quat.cross(plane, side) @ along, plane @ side))


def _across(vectors: Array, line: Array) -> Array:
    """The part of vectors (..., 3) at right angles to lines (..., 3)."""
    along = quat.unit(line)
    return vectors - np.sum(vectors * along, axis=-1, keepdims=True) * along
