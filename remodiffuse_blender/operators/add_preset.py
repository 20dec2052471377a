# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets: the request as it stands is kept under a name, or a kept one is removed."""

import bpy
from bl_operators.presets import AddPresetBase

from .. import presets


class AddPreset(AddPresetBase, bpy.types.Operator):  # pyright: ignore[reportIncompatibleMethodOverride] Blender's own
    """Keep prompt, length and settings under a name, or remove the ones that are chosen"""

    bl_idname = "remodiffuse.add_preset"
    bl_label = "Add Request Preset"
    preset_menu = "REMODIFFUSE_PT_presets"
    preset_subdir = presets.FOLDER
    preset_defines = ("settings = bpy.context.scene.remodiffuse",)
    preset_values = (*(f"settings.{value}" for value in presets.VALUES), "settings.row")
