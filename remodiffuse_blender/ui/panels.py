# SPDX-License-Identifier: GPL-3.0-or-later
"""The tab in the sidebar of the 3D viewport. It draws what `takes` knows and decides nothing."""

from __future__ import annotations

from typing import Any, Final

import bpy

from .. import properties, takes, target
from ..client.client import State
from ..shared import BackendError
from . import backend_status
from .takes_list import TakesList
from .text import paragraph

STAGES: Final = {
    "waiting": "Waiting",
    "starting": "Starting",
    "text": "Reading the prompt",
    "retrieval": "Finding references",
    "conditions": "Reading the references",
    "sampling": "Sampling",
    "motion": "Building the motion",
}


class SidebarPanel:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "ReMoDiffuse"


class GeneratePanel(SidebarPanel, bpy.types.Panel):
    bl_idname = "REMODIFFUSE_PT_generate"
    bl_label = "Generate Motion"

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        _draw_target(layout, context)
        _draw_request(layout, context)
        if backend_status.draw_set_up(layout, context):
            pass
        elif takes.session.job:
            _draw_progress(layout)
        else:
            backend_status.draw_model(layout, context)
            row = layout.row()
            row.scale_y = 1.5
            row.operator("remodiffuse.generate", icon="PLAY")
        backend_status.draw_trouble(layout, context)


class ReviewPanel(SidebarPanel, bpy.types.Panel):
    bl_idname = "REMODIFFUSE_PT_review"
    bl_label = "Takes"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(properties.get(context).takes)

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        settings = properties.get(context)
        row = layout.row()
        row.template_list(TakesList.bl_idname, "", settings, "takes", settings, "active_take", rows=4)
        column = row.column(align=True)
        column.operator("remodiffuse.flip_take", text="", icon="TRIA_UP").step = -1
        column.operator("remodiffuse.flip_take", text="", icon="TRIA_DOWN").step = 1
        column.separator()
        column.prop(settings, "show_preview", text="", icon="HIDE_OFF" if settings.show_preview else "HIDE_ON")
        column.operator("remodiffuse.remove_take", text="", icon="REMOVE")
        row = layout.row(align=True)
        row.scale_y = 1.3
        row.operator("remodiffuse.accept_take", icon="CHECKMARK")
        row.operator("remodiffuse.reject_takes", icon="X")


class InsertPanel(SidebarPanel, bpy.types.Panel):
    bl_idname = "REMODIFFUSE_PT_insert"
    bl_parent_id = "REMODIFFUSE_PT_review"
    bl_label = "Insert"

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        insert = properties.get(context).insert
        layout.use_property_split, layout.use_property_decorate = True, False
        column = layout.column()
        column.prop(insert, "into")
        column.prop(insert, "place")
        if insert.place == "FRAME":
            row = column.row(align=True)
            row.prop(insert, "frame")
            row.operator("remodiffuse.move_to_playhead", text="", icon="TIME")
        column.prop(insert, "continues")
        if insert.into != "ACTION":
            column.prop(insert, "blend_in")
            column.prop(insert, "blend_out")
        column.prop(insert, "in_place")
        column.prop(insert, "loop")
        if insert.loop and insert.place != "RANGE":
            column.prop(insert, "loop_seconds")
        column.prop(insert, "as_asset")


class ReferencesPanel(SidebarPanel, bpy.types.Panel):
    bl_idname = "REMODIFFUSE_PT_references"
    bl_parent_id = "REMODIFFUSE_PT_review"
    bl_label = "References"

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        settings = properties.get(context)
        if not settings.active_take < len(settings.takes):
            return
        take = settings.takes[settings.active_take]
        if not take.references:
            layout.label(text="No clip of a library was used")
        for reference in take.references:
            box = layout.box()
            paragraph(box, context, reference.caption, icon="ARMATURE_DATA")
            origin = f"Score {reference.score:.2f}. {reference.library}: {reference.source}. {reference.licence}"
            paragraph(box, context, origin, icon="BLANK1")


def _draw_target(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    try:
        armature = target.armature(context)
        text = f"{armature.name}: {target.description(armature)}"
    except BackendError as error:
        paragraph(layout, context, str(error), icon="INFO")
    else:
        layout.label(text=text, icon="ARMATURE_DATA", translate=False)


def _draw_request(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = properties.get(context)
    layout.prop(settings, "prompt", text="", placeholder="a person walks forward")
    column = layout.column(align=True)
    column.prop(settings, "seconds")
    row = column.row(align=True)
    row.prop(settings, "seed")
    row.prop(settings, "seed_locked", text="", icon="LOCKED" if settings.seed_locked else "UNLOCKED")
    row.operator("remodiffuse.randomize_seed", text="", icon="FILE_REFRESH")
    column.prop(settings, "count")


def _draw_progress(layout: bpy.types.UILayout) -> None:
    session = takes.session
    job = session.job
    if job is None:
        return
    factor, text = 0.0, STAGES.get(job.stage, job.stage)
    if job.cancelling:
        text = "Cancelling..."
    elif session.client.state in (State.STARTING, State.LOADING):
        text = backend_status.sentence()
    elif job.total > 1:
        factor, text = job.step / job.total, f"{text} {job.step}/{job.total}"
    layout.progress(factor=factor, text=text, type="BAR")
    layout.operator("remodiffuse.cancel", icon="CANCEL")


CLASSES = (TakesList, GeneratePanel, ReviewPanel, InsertPanel, ReferencesPanel)
