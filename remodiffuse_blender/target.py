# SPDX-License-Identifier: GPL-3.0-or-later
"""The armature that gets the motion: found, checked, understood."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import bone_table, retarget
from .rig.armature import read_rest_pose
from .rig.families import known_families
from .rig.solve import solve
from .shared import BackendError, Motion

if TYPE_CHECKING:
    import bpy

    from .rig.bone_map import BoneMap
    from .rig.channels import Channels
    from .rig.options import Options


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


def check(context: bpy.types.Context) -> None:
    """Raises `BackendError` where no armature is active that can be animated."""
    armature(context)


def bone_map(target: bpy.types.Object) -> BoneMap:
    """Which bone plays which joint: as detected, or as the animator says. Raises `BackendError` where that does not do,
    or the armature is no humanoid.
    """
    return bone_table.bone_map(target)


def description(target: bpy.types.Object) -> str:
    """What kind of rig it is, in a few words. Raises `BackendError` where the armature is no humanoid."""
    found = bone_map(target)
    titles = {family.name: family.title for family in known_families()}
    return f"{titles.get(found.family, 'Humanoid')}, {len(found.bones)} joints"


def solve_motion(
    target: bpy.types.Object, motion: Motion, fps: float, *, in_place: bool = False, phase: float = 0.0
) -> Channels:
    """The motion as channels of the armature's bones, one row for each whole frame at `fps`; it starts `phase` (0 up to
    1) frames after one. Raises `BackendError`.
    """
    return solve(read_rest_pose(target), bone_map(target), motion, fps, options(target, in_place=in_place), phase)


def options(target: bpy.types.Object, *, in_place: bool) -> Options:
    """How motions are put on the armature."""
    return replace(retarget.options(target), in_place=in_place)
