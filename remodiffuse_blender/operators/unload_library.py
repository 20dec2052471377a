# SPDX-License-Identifier: GPL-3.0-or-later
"""Take out: a loaded library is no longer searched."""

from typing import Any

import bpy
from bpy.props import StringProperty

from .. import library
from .verb import Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class UnloadLibrary(Verb, bpy.types.Operator):
    """Take the library out of your folder. The file that it was loaded from stays"""

    bl_idname = "remodiffuse.unload_library"
    bl_label = "Take Out"
    precondition = staticmethod(library.check)

    library: StringProperty(name="Library", description="Name of the library")

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:  # noqa: ANN401
        return context.window_manager.invoke_confirm(self, event)

    def act(self, context: bpy.types.Context) -> None:
        library.unload(context, self.library)
