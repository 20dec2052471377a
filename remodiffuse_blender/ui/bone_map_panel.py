# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bone of the active armature plays which joint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from .. import bone_table, rig_report
from ..rig.bone_map import REQUIRED
from ..rig.errors import TITLES
from ..rig.families import known_families
from ..shared import BackendError
from ..translations import told, words
from .text import paragraph

if TYPE_CHECKING:
    from ..rig_report import Report


class BoneMapPanel(bpy.types.Panel):
    bl_idname = "REMODIFFUSE_PT_bone_map"
    bl_parent_id = "REMODIFFUSE_PT_retarget"
    bl_label = "Bone Map"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "ReMoDiffuse"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender's way)

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        armature: Any = context.active_object
        table, found = bone_table.get(armature), bone_table.proposal(armature)
        edited = bone_table.edited(armature)
        titles = {family.name: family.title for family in known_families()}
        kind = titles.get(found.family, "Unknown rig")
        text = f"{kind}, map edited" if edited else f"{kind}, {found.confidence:.0%} sure"
        layout.label(text=words(text), icon="GREASEPENCIL" if edited else "VIEWZOOM", translate=False)
        try:
            bone_table.bone_map(armature)
        except BackendError as error:
            paragraph(layout, context, told(error), icon="ERROR")
        layout.prop(table, "mirror")
        missing = {one.joint: one.remedy for one in found.missing}
        for heading, joints in (("Torso", bone_table.TORSO), ("Left", bone_table.LEFT), ("Right", bone_table.RIGHT)):
            column = layout.column(align=True)
            column.label(text=heading)
            for joint in joints:
                row = column.row(align=True)
                row.alert = joint in missing and joint in REQUIRED
                split = row.split(factor=0.38, align=True)
                split.label(text=bone_table.title(joint).removeprefix(heading).strip())
                split.prop_search(table, joint, armature.data, "bones", text="")
        if missing:
            box = layout.box()
            box.label(text="Without a Bone", icon="INFO")
            for joint, remedy in missing.items():
                paragraph(box, context, f"{bone_table.title(joint)}: {words(remedy)}", icon="BLANK1")
        row = layout.row(align=True)
        row.operator("remodiffuse.load_bone_map", text="Load", icon="FILE_FOLDER")
        row.operator("remodiffuse.save_bone_map", text="Save", icon="FILE_TICK")
        layout.operator("remodiffuse.detect_bones", icon="FILE_REFRESH")
        row = layout.row(align=True)
        row.operator("remodiffuse.use_reference_pose", icon="ARMATURE_DATA")
        if table.reference:
            row.operator("remodiffuse.clear_reference_pose", text="", icon="X")
        layout.operator("remodiffuse.report_rig", icon="CHECKMARK")
        if report := rig_report.remembered(armature):
            _draw_report(layout.box(), context, report)


def _draw_report(box: Any, context: bpy.types.Context, report: Report) -> None:  # noqa: ANN401 (a layout)
    """What can be measured, or why nothing could be; family, bones and what is missing stand above."""
    if report.problem:
        paragraph(box, context, report.problem, icon="ERROR", alert=True)
        return
    for remark in report.remarks:
        paragraph(box, context, words(remark), icon="INFO")
    if not report.errors:
        box.label(text="No take and no action to measure", icon="INFO")
        return
    paragraph(box, context, report.measured, icon="ACTION")
    column = box.column(align=True)
    for name, value in report.errors.items():
        row = column.split(factor=0.8, align=True)
        row.label(text=TITLES[name])
        row.label(text=f"{value:.3g}", translate=False)


CLASSES = (BoneMapPanel,)
