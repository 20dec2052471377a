# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets in the header of the panel, and the last prompts beside the prompt."""

from __future__ import annotations

from typing import Any

import bpy
from bl_ui.utils import PresetPanel

from .. import presets


class PresetsPanel(PresetPanel, bpy.types.Panel):
    bl_idname = "REMODIFFUSE_PT_presets"
    bl_label = "Request Presets"
    preset_subdir = presets.FOLDER
    preset_operator = "script.execute_preset"
    preset_add_operator = "remodiffuse.add_preset"


class HistoryMenu(bpy.types.Menu):
    bl_idname = "REMODIFFUSE_MT_history"
    bl_label = "Last Prompts"

    def draw(self, context: bpy.types.Context | None) -> None:
        layout: Any = self.layout
        files = presets.history()
        if not files:
            layout.label(text="Nothing has been generated yet")
        for file in files:
            chooser = layout.operator(
                "script.execute_preset", text=bpy.path.display_name(file.name, title_case=False), translate=False
            )
            chooser.filepath, chooser.menu_idname = str(file), self.bl_idname


CLASSES = (PresetsPanel, HistoryMenu)
