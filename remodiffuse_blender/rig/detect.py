# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bone plays which joint: known families first, then what bones are called, then how the skeleton is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..shared import BackendError, skeleton
from .bone_map import REQUIRED, BoneMap
from .checks import facing_vote, is_human
from .families import Family, known_families, match
from .limbs import find_limbs
from .structure import find_by_structure
from .trunk import fill_spine, fill_trunk

if TYPE_CHECKING:
    from .rest_pose import RestPose

_FAMILY_SCORE: Final = 0.8
_BY_NAMES, _BY_STRUCTURE = 0.8, 0.5  # confidence of a map that no family vouches for


def map_bones(rest: RestPose) -> BoneMap:
    """The bone map of a humanoid armature.

    Names propose, geometry decides: a map is taken only if its joints stand like a person, and left is the body's
    left. Raises BackendError("no_humanoid") if there is no such map.
    """
    scored = [(match(family, rest), family) for family in known_families()]
    for (joints, score), family in sorted(scored, key=lambda one: one[0][1], reverse=True):
        if score < _FAMILY_SCORE:
            break
        if found := _finished(rest, dict(joints), family.name, min(score, 1.0), _switches(family, rest)):
            return found
    if (limbs := find_limbs(rest)) and (found := _finished(rest, limbs, "unknown", _BY_NAMES, {})):
        return found
    if (joints := find_by_structure(rest)) and (found := _finished(rest, joints, "unknown", _BY_STRUCTURE, {})):
        return found
    raise BackendError(
        "no_humanoid",
        "No human figure was found in this armature.",
        "Select a character with hips, spine, head, two arms and two legs, or choose its bones in the bone map.",
    )


def _finished(
    rest: RestPose, joints: dict[str, int], family: str, confidence: float, switches: dict[str, dict[str, float]]
) -> BoneMap | None:
    """The map with its trunk filled in and its sides put right; None if it is not a person."""
    if any(joint not in joints for joint in REQUIRED if joint not in ("pelvis", "head")):
        return None
    if all(joint in joints for joint in ("pelvis", "neck", "head")):
        fill_spine(rest, joints)
    else:
        fill_trunk(rest, joints)
    if not is_human({joint: rest.heads[bone] for joint, bone in joints.items()}):
        return None
    if facing_vote({joint: rest.heads[bone] for joint, bone in joints.items()}) < 0.0:
        joints = {skeleton.JOINTS[skeleton.MIRROR[skeleton.INDEX[joint]]]: bone for joint, bone in joints.items()}
    ordered = {joint: rest.names[joints[joint]] for joint in skeleton.JOINTS if joint in joints}
    found = BoneMap(family, ordered, confidence, switches)
    return found if found.complete else None


def _switches(family: Family, rest: RestPose) -> dict[str, dict[str, float]]:
    """Those of the family's switches that the rig has."""
    found = {
        bone: {name: value for name, value in family.switches.items() if name in properties}
        for bone, properties in rest.properties.items()
    }
    return {bone: values for bone, values in found.items() if values}
