# SPDX-License-Identifier: GPL-3.0-or-later
"""Load: a library file that somebody shared."""

from typing import Any

import bpy
from bpy.props import StringProperty

from .. import library
from .verb import Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class LoadLibrary(Verb, bpy.types.Operator):
    """Copy a library file into your own folder; its clips guide the next takes"""

    bl_idname = "remodiffuse.load_library"
    bl_label = "Load Library"
    precondition = staticmethod(library.check)

    filepath: StringProperty(name="File", description="The library file", subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.sqlite", options={"HIDDEN"})

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:  # noqa: ANN401
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def act(self, context: bpy.types.Context) -> None:
        library.load(context, bpy.path.abspath(self.filepath))
