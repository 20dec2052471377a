# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the backend lives and what it runs on. Kept in Blender's preferences, never in a .blend that people share."""

from collections.abc import Iterator

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from . import hooks, screen

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


def _show(_preferences: object, _context: bpy.types.Context) -> None:
    screen.redraw()


def _models(preferences: object, context: bpy.types.Context, text: str) -> Iterator[tuple[str, str]]:
    return hooks.models_offered(preferences, context, text) or iter(())


class RemodiffusePreferences(bpy.types.AddonPreferences):
    bl_idname = __package__ or ""

    python: StringProperty(
        name="Python",
        description="The Python of an environment that has the backend's packages, or the folder of that environment; "
        "used instead of the one that Install makes",
        subtype="FILE_PATH",
        update=_show,
    )
    command: StringProperty(
        name="Command",
        description="A command that runs the backend, also on another machine: ssh gpu-box python -m backend serve; "
        "used instead of everything else",
        update=_show,
    )
    wheels: StringProperty(
        name="Wheels",
        description="A folder of wheels that Install looks into before the network, or instead of it",
        subtype="DIR_PATH",
    )
    install_python: StringProperty(
        name="Install with",
        description="The Python that Install makes its environment from, instead of Blender's own",
        subtype="FILE_PATH",
    )
    model: StringProperty(
        name="Model",
        description="What the next request is sampled with; empty for the backend's own choice",
        search=_models,
        search_options={"SUGGESTION"},
        maxlen=200,
    )
    idle_minutes: IntProperty(
        name="Unload After (Minutes)",
        description="Minutes without a request after which the model leaves the memory; 0 keeps it",
        default=10,
        min=0,
        max=24 * 60,
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
        hooks.preferences_drawn(self.layout, context, self)


def get(context: bpy.types.Context) -> RemodiffusePreferences:
    return context.preferences.addons[RemodiffusePreferences.bl_idname].preferences  # pyright: ignore[reportReturnType]
