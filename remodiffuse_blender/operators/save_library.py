# SPDX-License-Identifier: GPL-3.0-or-later
"""Save: a library of one's own as a file to share."""

from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import library
from .verb import Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class SaveLibrary(Verb, bpy.types.Operator):
    """Write a library of yours to a file that you can share"""

    bl_idname = "remodiffuse.save_library"
    bl_label = "Save Library"
    precondition = staticmethod(library.check_save)

    filepath: StringProperty(name="File", description="The file to write", subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.sqlite", options={"HIDDEN"})
    check_existing: BoolProperty(default=True, options={"HIDDEN"})
    library: StringProperty(name="Library", description="Name of the library", default="own")

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:  # noqa: ANN401
        self.filepath = self.filepath or f"{self.library}.sqlite"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def act(self, context: bpy.types.Context) -> None:
        library.save(context, bpy.path.ensure_ext(bpy.path.abspath(self.filepath), ".sqlite"), self.library)
