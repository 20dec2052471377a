# SPDX-License-Identifier: GPL-3.0-or-later
"""Import: a folder of BVH files with a table of captions."""

from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import library
from .verb import Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class ImportClips(Verb, bpy.types.Operator):
    """Import the BVH files of a folder into your own library. Its captions.csv has the columns file and caption"""

    bl_idname = "remodiffuse.import_clips"
    bl_label = "Import Folder"
    precondition = staticmethod(library.check_import)

    directory: StringProperty(name="Folder", description="The folder with captions.csv", subtype="DIR_PATH")
    filter_folder: BoolProperty(default=True, options={"HIDDEN"})
    filter_glob: StringProperty(default="*.bvh;*.csv", options={"HIDDEN"})
    licence: StringProperty(
        name="Licence", description="Licence of the files for which the table names none, for example CC0-1.0"
    )

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:  # noqa: ANN401
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def act(self, context: bpy.types.Context) -> None:
        library.start_import(context, bpy.path.abspath(self.directory), self.licence)
