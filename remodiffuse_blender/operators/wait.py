# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait: what a script without a window does instead of looking at the sidebar."""

import bpy
from bpy.props import FloatProperty

from .. import library, takes
from .verb import FOR_SCRIPTS, Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class Wait(Verb, bpy.types.Operator):
    """Wait until the request is done. For scripts: it holds Blender up meanwhile"""

    bl_idname = "remodiffuse.wait"
    bl_label = "Wait for Takes"
    bl_options = FOR_SCRIPTS

    timeout: FloatProperty(name="Timeout", description="Seconds after which it is an error", default=600.0, min=0.0)

    def act(self, context: bpy.types.Context) -> None:
        takes.wait(self.timeout)
        library.wait(self.timeout)
