# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bone plays which joint: known families first, then what bones are called, then how the skeleton is built."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import BackendError, skeleton
from . import mirror
from .bone_map import REQUIRED, BoneMap
from .checks import facing_vote, is_human, is_seated, thumbs_vote
from .families import Family, known_families, match
from .limbs import find_limbs
from .names import without_marks
from .stance import in_one_line, standing, t_pose
from .structure import find_by_structure
from .trunk import fill_spine, fill_trunk

if TYPE_CHECKING:
    from .rest_pose import RestPose

Array = NDArray[np.floating[Any]]

_FAMILY_SCORE: Final = 0.8
_BY_NAMES, _BY_STRUCTURE = 0.8, 0.5  # confidence of a map that no family vouches for
_INCOMPLETE: Final = 0.5
_PEOPLE: Final = len(REQUIRED) + 1  # bones that make a person
UNKNOWN: Final = "unknown"


def map_bones(rest: RestPose) -> BoneMap:
    """The bone map of a humanoid armature.

    Names propose, geometry decides: a map is taken only if its joints stand like a person, and left is the body's
    left. Raises BackendError("no_humanoid") if there is no such map.
    """
    return checked(propose(rest))


def checked(found: BoneMap) -> BoneMap:
    """The same map. Raises BackendError("no_humanoid") if it lacks required joints."""
    if found.complete:
        return found
    lacking = [one.joint.replace("_", " ") for one in found.missing if one.joint in REQUIRED]
    lacking += [] if any(joint.startswith("spine") for joint in found.bones) else ["spine"]
    raise BackendError(
        "no_humanoid",
        f"Bones are missing for {', '.join(lacking)}."
        if found.bones
        else "No human figure was found in this armature.",
        "Select a character with hips, spine, head, two arms and two legs, or choose its bones in the bone map.",
    )


def propose(rest: RestPose) -> BoneMap:
    """The best map there is. It may lack required joints, or all of them."""
    for names in (rest.names, *without_marks(rest.names, _PEOPLE)):
        if found := _by_names(rest, replace(rest, names=names)):
            return found
    if found := _person(rest, find_by_structure(rest), {}):
        return _bone_map(rest, found, UNKNOWN, _BY_STRUCTURE)
    if matches := _matches(rest):
        joints, score, family = matches[0]
        found = _bone_map(rest, joints, family.name, min(score, 1.0) * _INCOMPLETE)
        if not found.complete:  # else all its joints are there, but they do not stand like a person
            return found
    return BoneMap(UNKNOWN, {}, 0.0)


def _by_names(rest: RestPose, called: RestPose) -> BoneMap | None:
    """A person among the bones, that `called` has under other names. Families come before words."""
    matches, limbs = _matches(called), find_limbs(called)
    for joints, score, family in matches:
        if found := _person(called, joints, limbs):
            return _bone_map(rest, found, family.name, min(score, 1.0), _switches(family, rest))
    for joints, score, family in matches:
        if (turns := _stance(rest, joints)) and (found := _person(standing(called, turns), joints, {})):
            reference = {rest.names[bone]: _stored(rest, turn) for bone, turn in turns.items()}
            return replace(_bone_map(rest, found, family.name, min(score, 1.0)), reference=reference)
    if found := _person(called, limbs, {}):
        return _bone_map(rest, found, _family_of_names(called, found), _BY_NAMES)
    return None


def _matches(rest: RestPose) -> list[tuple[dict[str, int], float, Family]]:
    """The families that the bones may be of, the likeliest first, with their joints and a score."""
    matches = [(*match(family, rest), family) for family in known_families()]
    return sorted((one for one in matches if one[1] >= _FAMILY_SCORE), key=lambda one: one[1], reverse=True)


def _person(rest: RestPose, joints: dict[str, int], limbs: dict[str, int]) -> dict[str, int]:
    """The map with its trunk, what `limbs` knows besides, and its sides put right; empty if it is not a person."""
    joints = dict(joints)
    if any(joint not in joints for joint in REQUIRED if joint not in ("pelvis", "head")):
        return {}
    if all(joint in joints for joint in ("pelvis", "neck", "head")):
        fill_spine(rest, joints)
    else:
        fill_trunk(rest, joints)
    joints = _with_ends(rest, joints, limbs)
    head = {joint: rest.heads[bone] for joint, bone in joints.items()}
    upright = rest.world[:3, :3].T @ np.array([0.0, 0.0, 1.0])
    if "spine1" not in joints or not (is_human(head) or is_seated(head, upright)):
        return {}
    if (facing_vote(head) or thumbs_vote(rest, joints)) < 0.0:
        return {skeleton.JOINTS[skeleton.MIRROR[skeleton.INDEX[joint]]]: bone for joint, bone in joints.items()}
    return joints


def _stance(rest: RestPose, joints: dict[str, int]) -> dict[int, Array]:
    """The turns of bones into the T-pose, if in their rest pose nobody could stand; else empty."""
    head = {joint: rest.heads[bone] for joint, bone in joints.items()}
    if any(joint not in head for joint in (*REQUIRED, "spine1")) or not in_one_line(head):
        return {}
    return t_pose(rest, joints)


def _stored(rest: RestPose, turn: Array) -> tuple[float, ...]:
    """A turn (4) in the armature's own space, for the bone map."""
    return tuple((mirror.turns(turn) if rest.mirrored else turn).tolist())


def _with_ends(rest: RestPose, joints: dict[str, int], limbs: dict[str, int]) -> dict[str, int]:
    """The joints, and what else the names of the limbs' bones say about joints that are missing."""
    added = dict(joints)
    for joint, bone in limbs.items():
        inner = skeleton.JOINTS[skeleton.PARENTS[skeleton.INDEX[joint]]]
        if joint not in joints and bone not in joints.values() and joints.get(inner) in rest.carried_by(bone):
            added[joint] = bone
    return added


def _bone_map(
    rest: RestPose,
    joints: dict[str, int],
    family: str,
    confidence: float,
    switches: dict[str, dict[str, float]] | None = None,
) -> BoneMap:
    ordered = {joint: rest.names[joints[joint]] for joint in skeleton.JOINTS if joint in joints}
    return BoneMap(family, ordered, confidence, switches or {})


def _family_of_names(rest: RestPose, joints: dict[str, int]) -> str:
    """The family that calls most of these bones the same, if it does so for nearly all of them."""
    agreeing = {
        family.name: sum(match(family, rest)[0].get(joint) == bone for joint, bone in joints.items())
        for family in known_families()
    }
    name = max(agreeing, key=lambda one: agreeing[one])
    return name if agreeing[name] >= _FAMILY_SCORE * len(joints) else UNKNOWN


def _switches(family: Family, rest: RestPose) -> dict[str, dict[str, float]]:
    """Those of the family's switches that the rig has."""
    found = {
        bone: {name: value for name, value in family.switches.items() if name in properties}
        for bone, properties in rest.properties.items()
    }
    return {bone: values for bone, values in found.items() if values}
