# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on makes of a rig: family, bone map, what is missing, and how well the rig follows a motion.

The sidebar's button and `build.py rig-report` show the same. Measuring plays the motion frame by frame; afterwards
the armature is as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from . import bone_table, capture, preview, properties, retarget, review, target
from .rig import errors
from .rig.armature import read_rest_pose
from .rig.body import measure
from .rig.detect import checked
from .rig.options import DEFAULT
from .rig.proportions import remarks
from .rig.solve import solve
from .shared import BackendError, skeleton

if TYPE_CHECKING:
    import bpy

    from .rig.bone_map import BoneMap
    from .rig.options import Options
    from .shared import Motion

LONGEST_SECONDS: Final = 20.0
"""So much of an action is measured."""
REMEMBERED: Final = 16


@dataclass(frozen=True)
class Report:
    """`errors` holds numbers of `rig.errors.TITLES`, of the motion that `measured` names; `problem` says why the rig
    cannot be animated, `remarks` what is odd about its build.
    """

    found: BoneMap
    problem: str = ""
    measured: str = ""
    errors: dict[str, float] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        report = {
            "family": self.found.family,
            "confidence": round(self.found.confidence, 3),
            "map": self.found.bones,
            "missing": [{"joint": one.joint, "remedy": one.remedy} for one in self.found.missing],
            "errors": {name: round(value, 3) for name, value in self.errors.items()},
            "remarks": self.remarks,
        }
        return report | ({"problem": self.problem} if self.problem else {})


_known: dict[int, Report] = {}


def make(
    context: bpy.types.Context,
    armature: bpy.types.Object,
    found: BoneMap,
    motion: Motion | None = None,
    name: str = "",
    options: Options = DEFAULT,
) -> Report:
    """The report on an armature with the bone map `found`; with a `motion` called `name`, how it follows that."""
    try:
        checked(found)
    except BackendError as error:
        return Report(found, problem=str(error))
    rest = read_rest_pose(armature)
    body = measure(rest, found)
    if motion is None:
        return Report(found, remarks=remarks(body))
    showing = _showing(armature, found.bones)
    channels = solve(rest, found, motion, options=options)
    with preview.tried(context.scene, armature, channels):
        frames = [float(frame) for frame in range(motion.frames)]
        posed = capture.matrices(armature, context, frames, list(showing.values()))
    poses = {joint: posed[:, index] for index, joint in enumerate(showing)}
    return Report(found, "", name, errors.following(body, showing, poses, motion), remarks(body))


def of_action(context: bpy.types.Context, armature: bpy.types.Object, found: BoneMap) -> Report:
    """The report on an armature and on the action that plays on it."""
    action: Any = armature.animation_data.action  # pyright: ignore[reportOptionalMemberAccess]  the caller has looked
    start, end = action.frame_range
    rate = context.scene.render.fps / context.scene.render.fps_base
    times = capture.times(start, min(end, start + LONGEST_SECONDS * rate), rate)
    showing, mapped = _showing(armature, found.bones), list(found.bones.values())
    bones = [*mapped, *showing.values()]
    posed = capture.matrices(armature, context, times, bones)
    labels = capture.as_motion(armature, posed[:, : len(mapped)], mapped).contacts
    poses = {joint: posed[:, len(mapped) + index] for index, joint in enumerate(showing)}
    body = measure(read_rest_pose(armature), found)
    return Report(found, "", action.name, errors.standing(body, poses, labels, skeleton.FPS), remarks(body))


def of_active(context: bpy.types.Context) -> Report:
    """The report on the active armature: with the active take, or else with its action, or with neither. It is
    remembered for the sidebar. Raises `BackendError`.
    """
    armature = target.armature(context)
    preview.check(armature)
    found = bone_table.proposal(armature)
    settings: Any = properties.get(context)
    data: Any = armature.animation_data
    try:
        bone_table.bone_map(armature)
    except BackendError as error:
        report = Report(found, problem=str(error))
    else:
        if settings.takes:
            item = settings.takes[review.chosen(context, -1)]
            motion = review.unpack(item).motion
            report = make(context, armature, found, motion, item.name, retarget.options(armature))
        elif data and data.action and data.action.frame_range[1] > data.action.frame_range[0]:
            report = of_action(context, armature, found)
        else:
            report = make(context, armature, found)
    while len(_known) >= REMEMBERED:
        del _known[next(iter(_known))]
    _known[armature.session_uid] = report
    return report


def remembered(armature: bpy.types.Object) -> Report | None:
    """The last report on the armature, as long as its bone map is the one that was reported on."""
    report = _known.get(armature.session_uid)
    return report if report and report.found == bone_table.proposal(armature) else None


def _showing(armature: bpy.types.Object, bones: dict[str, str]) -> dict[str, str]:
    """Joint -> the bone that shows: in Rigify's rigs the deforming one that the control moves."""
    pose: Any = armature.pose
    deforming = {joint: f"DEF-{bone.replace('_fk', '')}" for joint, bone in bones.items()}
    return {joint: deforming[joint] if deforming[joint] in pose.bones else bone for joint, bone in bones.items()}
