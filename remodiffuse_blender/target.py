# SPDX-License-Identifier: GPL-3.0-or-later
"""The armature that gets the motion: found, checked, understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import retarget
from .rig.armature import read_rest_pose
from .rig.detect import map_bones
from .rig.families import known_families
from .rig.solve import solve
from .shared import BackendError, Motion

if TYPE_CHECKING:
    import bpy

    from .rig.bone_map import BoneMap
    from .rig.channels import Channels

REMEMBERED: Final = 16

# The sidebar asks at every redraw, and a control rig has hundreds of bones.
_known: dict[tuple[int, int], BoneMap | BackendError] = {}


def armature(context: bpy.types.Context) -> bpy.types.Object:
    """The active armature. Raises `BackendError` where there is none that can be animated."""
    active = context.active_object
    if active is None or active.type != "ARMATURE":
        raise BackendError("no_armature", "No armature is selected.", "Click on the character's armature.")
    if active.library:
        raise BackendError(
            "linked_armature",
            f"The armature {active.name} is linked from another file.",
            "Make a library override of it (Object > Library Override).",
        )
    return active


def bone_map(target: bpy.types.Object) -> BoneMap:
    """Which bone plays which joint. Raises `BackendError` where the armature is no humanoid."""
    data: Any = target.data
    key = (data.session_uid, hash(tuple(bone.name for bone in data.bones)))
    if key not in _known:
        while len(_known) >= REMEMBERED:
            del _known[next(iter(_known))]
        try:
            _known[key] = map_bones(read_rest_pose(target))
        except BackendError as error:
            _known[key] = error
    known = _known[key]
    if isinstance(known, BackendError):
        raise known
    return known


def description(target: bpy.types.Object) -> str:
    """What kind of rig it is, in a few words. Raises `BackendError` where the armature is no humanoid."""
    found = bone_map(target)
    titles = {family.name: family.title for family in known_families()}
    return f"{titles.get(found.family, 'Humanoid')}, {len(found.bones)} joints"


def solve_motion(target: bpy.types.Object, motion: Motion, fps: float) -> Channels:
    """The motion as channels of the armature's bones, one row for each frame at `fps`. Raises `BackendError`."""
    rest = read_rest_pose(target)
    return solve(rest, map_bones(rest), motion, fps=fps, options=retarget.options(target))
