# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the backend lives and what it runs on. Kept in Blender's preferences, never in a .blend that people share."""

import bpy
from bpy.props import EnumProperty, StringProperty

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


def _show(_preferences: object, _context: bpy.types.Context) -> None:
    from . import takes

    takes.redraw()


class RemodiffusePreferences(bpy.types.AddonPreferences):
    bl_idname = __package__ or ""

    python: StringProperty(
        name="Backend Python",
        description="The Python of the backend's environment, or the folder of that environment",
        subtype="FILE_PATH",
        update=_show,
    )
    device: EnumProperty(
        name="Device",
        description="What the model runs on",
        items=(
            ("auto", "Automatic", "The fastest device that is there"),
            ("cuda", "NVIDIA or AMD GPU", "A GPU by CUDA or ROCm"),
            ("mps", "Apple GPU", "A GPU by Metal"),
            ("cpu", "Processor", "The processor: works everywhere"),
        ),
    )

    def draw(self, context: bpy.types.Context) -> None:
        from .ui import backend_status

        self.layout.prop(self, "python")
        self.layout.prop(self, "device")
        backend_status.draw(self.layout, context)


def get(context: bpy.types.Context) -> RemodiffusePreferences:
    return context.preferences.addons[RemodiffusePreferences.bl_idname].preferences  # pyright: ignore[reportReturnType]
