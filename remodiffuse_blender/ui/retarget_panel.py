# SPDX-License-Identifier: GPL-3.0-or-later
"""How motions are put on the active armature."""

from __future__ import annotations

from typing import Any

import bpy

from .. import retarget


class RetargetPanel(bpy.types.Panel):
    bl_idname = "REMODIFFUSE_PT_retarget"
    bl_label = "Retargeting"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "ReMoDiffuse"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 (Blender's way)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.active_object is not None and context.active_object.type == "ARMATURE"

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        layout.use_property_split, layout.use_property_decorate = True, False
        column = layout.column()
        settings = retarget.get(context.active_object)  # pyright: ignore[reportArgumentType]  see poll
        for name in ("travel", "start", "stride", "vertical", "foot_lock", "limbs", "fingers"):
            column.prop(settings, name)
        layout.operator("remodiffuse.switch_travel", icon="CON_FOLLOWPATH")


CLASSES = (RetargetPanel,)
