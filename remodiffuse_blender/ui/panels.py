# SPDX-License-Identifier: GPL-3.0-or-later
"""The tab in the sidebar of the 3D viewport. It draws what `takes` knows and decides nothing."""

from __future__ import annotations

from typing import Any, Final

import bpy

from .. import library, properties, references, resample, takes, target
from ..client.client import State
from ..shared import BackendError
from ..translations import told, words
from . import backend_status
from .takes_list import TakesList
from .text import paragraph

CLOSED: Final[Any] = {"DEFAULT_CLOSED"}
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

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        layout.emboss = "NONE"
        layout.popover(panel="REMODIFFUSE_PT_presets", icon="PRESET", text="")

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
        row.template_list(TakesList.bl_idname, "", settings, "takes", settings, "active_take", rows=5)
        column = row.column(align=True)
        column.operator("remodiffuse.flip_take", text="", icon="TRIA_UP").step = -1
        column.operator("remodiffuse.flip_take", text="", icon="TRIA_DOWN").step = 1
        column.separator()
        column.prop(settings, "show_preview", text="", icon="HIDE_OFF" if settings.show_preview else "HIDE_ON")
        column.operator("remodiffuse.remove_take", text="", icon="REMOVE")
        if 0 <= settings.active_take < len(settings.takes):
            _draw_take(layout, context, settings.takes[settings.active_take])
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
        column.prop(insert, "keys")
        if insert.keys == "SPARSE":
            column.prop(insert, "tolerance")
            column.prop(insert, "location_tolerance")
        column.prop(insert, "interpolation")
        column.prop(insert, "loop")
        if insert.loop and insert.place != "RANGE":
            column.prop(insert, "loop_seconds")
        column.prop(insert, "as_asset")


class ResamplePanel(SidebarPanel, bpy.types.Panel):
    bl_idname = "REMODIFFUSE_PT_resample"
    bl_label = "Re-sample"
    bl_options = CLOSED

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        settings = properties.get(context)
        wanted = settings.resample
        paragraph(layout, context, words(_source(context)), icon="ACTION")
        layout.operator("remodiffuse.another_seed", icon="FILE_REFRESH")
        column = layout.column()
        column.prop(wanted, "strength", slider=True)
        column.prop(wanted, "prompt", text="", icon="TEXT", placeholder="Same prompt")
        column.prop(wanted, "use_range")
        if wanted.use_range:
            row = column.row(align=True)
            row.prop(wanted, "start")
            row.prop(wanted, "end")
        column.prop(wanted, "use_parts")
        if wanted.use_parts:
            column.grid_flow(columns=2, even_columns=True, align=True).prop(wanted, "parts")
        layout.operator("remodiffuse.resample", icon="MOD_NOISE")
        layout.separator()
        layout.operator("remodiffuse.fill_gap", icon="ARROW_LEFTRIGHT")


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
            row = box.row()
            row.label(text=f"{reference.library}  {reference.score:.2f}", icon="BLANK1", translate=False)
            buttons = row.row(align=True)
            draw_player(buttons, context, reference)
            draw_choice(buttons, context, reference)
            other = buttons.operator("remodiffuse.replace_reference", text="", icon="UV_SYNC_SELECT")
            other.library, other.clip, other.caption = reference.library, reference.clip, reference.caption
            paragraph(box, context, f"{reference.source}. {reference.licence}", icon="BLANK1")
        if settings.choices:
            box = layout.box()
            for choice in settings.choices:
                box.label(text=choice.caption, icon="CANCEL" if choice.banned else "PINNED", translate=False)
            box.operator("remodiffuse.clear_choices", icon="TRASH")


def draw_player(row: Any, context: bpy.types.Context, item: Any, **look: Any) -> None:  # noqa: ANN401
    """The button that plays a clip, or ends that."""
    stop = {"text": "Stop"} if look.get("text") else {}
    if library.playing(context.scene) == library.name_of(item.library, item.clip):
        row.operator("remodiffuse.stop_clip", icon="SNAP_FACE", depress=True, **({"text": ""} | look | stop))
        return
    player = row.operator("remodiffuse.play_clip", icon="PLAY", **({"text": ""} | look))
    player.library, player.clip, player.caption = item.library, item.clip, item.caption


def draw_choice(row: Any, context: bpy.types.Context, item: Any) -> None:  # noqa: ANN401
    """The buttons that pin and ban a clip."""
    choice = references.chosen(properties.get(context), item.library, item.clip)
    for banned, icons in ((False, ("PINNED", "UNPINNED")), (True, ("CANCEL", "X"))):
        on = choice == ("banned" if banned else "pinned")
        button = row.operator("remodiffuse.choose_reference", text="", icon=icons[0] if on else icons[1], depress=on)
        button.library, button.clip, button.banned = item.library, item.clip, banned
        button.caption = item.caption


def _draw_take(layout: bpy.types.UILayout, context: bpy.types.Context, item: Any) -> None:  # noqa: ANN401
    """What the active take is, and how it differs."""
    paragraph(layout, context, item.prompt, icon="TEXT")
    facts = f"{item.seconds:.1f} s, feet slide {item.slide:.1f} cm/s"
    paragraph(layout, context, words(facts), icon="BLANK1")
    # A line in any case: whoever flips wants Accept to stay where it is.
    apart = "First take of its request"
    if item.difference and item.edited:
        apart = f"{item.difference:.1f} cm from the old motion"
    elif item.difference:
        apart = f"{item.difference:.1f} cm from the first take"
    paragraph(layout, context, words(apart), icon="BLANK1")


def _source(context: bpy.types.Context) -> str:
    """What would be made anew."""
    settings = properties.get(context)
    if settings.takes:
        item = settings.takes[min(settings.active_take, len(settings.takes) - 1)]
        return f"Take #{item.seed}: {item.prompt}"
    active = context.active_object
    found = resample.origin(active) if active and active.type == "ARMATURE" else None
    return f"Action: {found['prompt']}" if found else "No take, and no action that was generated"


def _draw_target(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    try:
        armature = target.armature(context)
        text = f"{armature.name}: {target.description(armature)}"
    except BackendError as error:
        paragraph(layout, context, told(error), icon="INFO")
    else:
        layout.label(text=words(text), icon="ARMATURE_DATA", translate=False)


def _draw_request(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = properties.get(context)
    row = layout.row(align=True)
    row.prop(settings, "prompt", text="", placeholder="a person walks forward")
    row.menu("REMODIFFUSE_MT_history", text="", icon="RECOVER_LAST")
    if settings.row:
        _draw_seconds(row, settings)
    row.operator("remodiffuse.add_prompt", text="", icon="ADD")
    for index, each in enumerate(settings.row):
        row = layout.row(align=True)
        row.prop(each, "prompt", text="", placeholder="then ...")
        _draw_seconds(row, each)
        remover: Any = row.operator("remodiffuse.remove_prompt", text="", icon="REMOVE")
        remover.index = index
    column = layout.column(align=True)
    if not settings.row:
        column.prop(settings, "seconds")
    row = column.row(align=True)
    row.prop(settings, "seed")
    row.prop(settings, "seed_locked", text="", icon="LOCKED" if settings.seed_locked else "UNLOCKED")
    row.operator("remodiffuse.randomize_seed", text="", icon="FILE_REFRESH")
    column.prop(settings, "count")


def _draw_seconds(row: Any, part: Any) -> None:  # noqa: ANN401
    """Beside a prompt of several: how long it lasts."""
    narrow = row.row(align=True)
    narrow.ui_units_x = 2.0
    narrow.prop(part, "seconds", text="")


class AdvancedPanel(SidebarPanel, bpy.types.Panel):
    bl_idname = "REMODIFFUSE_PT_advanced"
    bl_parent_id = "REMODIFFUSE_PT_generate"
    bl_label = "Advanced"
    bl_options = CLOSED

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        settings = properties.get(context)
        column = layout.column()
        column.row(align=True).prop(settings, "quality", expand=True)
        column.prop(settings, "balance", slider=True)
        column.prop(settings, "scale", slider=True)


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
        left = job.seconds_left or 0.0
        # Nothing that is over before it is read.
        if left >= 100.0:
            text = f"{text}, {left / 60.0:.0f} min left"
        elif left >= 1.0:
            text = f"{text}, {left:.0f} s left"
    layout.progress(factor=factor, text=words(text), type="BAR")
    layout.operator("remodiffuse.cancel", icon="CANCEL")


CLASSES = (TakesList, GeneratePanel, AdvancedPanel, ReviewPanel, InsertPanel, ReferencesPanel, ResamplePanel)
