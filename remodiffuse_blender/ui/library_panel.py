# SPDX-License-Identifier: GPL-3.0-or-later
"""The motion library: search, play, add, share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import bpy

from .. import library, properties
from ..translations import words
from .panels import CLOSED, SidebarPanel, draw_choice, draw_player
from .text import paragraph, trouble

if TYPE_CHECKING:
    from ..properties import RemodiffuseFound

ROWS: Final = 5


class FoundList(bpy.types.UIList):
    bl_idname = "REMODIFFUSE_UL_found"

    def draw_item(  # pyright: ignore[reportIncompatibleMethodOverride] - by position, and what comes last may be left out
        self,
        context: bpy.types.Context,
        layout: Any,  # noqa: ANN401 - the stubs call it optional
        _data: object,
        item: RemodiffuseFound,
        _icon: int,
        _active_data: object,
        _active_property: str,
        _index: int = 0,
        _flags: int = 0,
    ) -> None:
        row = layout.row(align=True)
        draw_player(row, context, item, emboss=False)
        parts = row.split(factor=0.84)
        parts.label(text=item.caption, translate=False)
        parts.label(text=f"{item.seconds:.1f} s", translate=False)


class LibraryPanel(SidebarPanel, bpy.types.Panel):
    bl_idname = "REMODIFFUSE_PT_library"
    bl_label = "Motion Library"
    bl_options = CLOSED

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        state = properties.library(context)
        layout.prop(state, "text", text="", icon="VIEWZOOM", placeholder="Search clips")
        layout.template_list(FoundList.bl_idname, "", state, "found", state, "active", rows=ROWS)
        item, playing = library.chosen(context), library.playing(context.scene)
        if item:
            _draw_chosen(layout, context, item)
        if playing and not (item and playing == library.name_of(item.library, item.clip)):
            layout.operator("remodiffuse.stop_clip", icon="SNAP_FACE")
        column = layout.column(align=True)
        row = column.row(align=True)
        row.prop(state, "caption", text="", placeholder="What the active action shows")
        row.operator("remodiffuse.add_clip", text="", icon="ADD")
        desk = library.desk
        if work := library.importing.work:
            layout.progress(
                factor=work.read / len(work.files), text=words(f"File {work.read}/{len(work.files)}"), type="BAR"
            )
            layout.operator("remodiffuse.cancel_import", icon="CANCEL")
        if desk.error:
            trouble(layout.box(), context, desk.error)
        elif desk.note:
            paragraph(layout, context, words(desk.note), icon="INFO")


def _draw_chosen(layout: Any, context: bpy.types.Context, item: RemodiffuseFound) -> None:  # noqa: ANN401
    box = layout.box()
    paragraph(box, context, item.caption, icon="ARMATURE_DATA")
    paragraph(box, context, f"{item.score:.2f}  {item.library}: {item.source}. {item.licence}", icon="BLANK1")
    row = box.row(align=True)
    draw_player(row, context, item, text="Play")
    draw_choice(row, context, item)
    row.operator("remodiffuse.remove_clip", text="", icon="TRASH")


class LibrariesPanel(SidebarPanel, bpy.types.Panel):
    bl_idname = "REMODIFFUSE_PT_libraries"
    bl_parent_id = "REMODIFFUSE_PT_library"
    bl_label = "Libraries"
    bl_options = CLOSED

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        for each in library.desk.libraries:
            row = layout.row(align=True)
            row.label(
                text=f"{each.name}: {each.clips}", icon="ERROR" if each.problem else "ASSET_MANAGER", translate=False
            )
            if each.own and not each.problem:
                row.operator("remodiffuse.save_library", text="", icon="EXPORT").library = each.name
            if each.own and each.name != library.OWN:
                row.operator("remodiffuse.unload_library", text="", icon="REMOVE").library = each.name
            if each.problem:
                paragraph(layout, context, words(each.problem), icon="BLANK1")
        column = layout.column(align=True)
        column.operator("remodiffuse.load_library", icon="IMPORT")
        column.operator("remodiffuse.import_clips", icon="FILE_FOLDER")
        layout.prop(properties.library(context), "licence")


CLASSES = (FoundList, LibraryPanel, LibrariesPanel)
