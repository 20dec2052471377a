# SPDX-License-Identifier: GPL-3.0-or-later
"""A bone map comes from a file."""

from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ImportHelper

from .. import bone_map_file, bone_table, target
from .verb import UNDOABLE, Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class LoadBoneMap(Verb, ImportHelper, bpy.types.Operator):  # pyright: ignore[reportIncompatibleMethodOverride] Blender's own mixin
    """Use the bone map and the reference pose of a file"""

    bl_idname = "remodiffuse.load_bone_map"
    bl_label = "Load Bone Map"
    bl_options = UNDOABLE
    precondition = staticmethod(target.check)
    filename_ext = ".json"

    filepath: StringProperty(subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def act(self, context: bpy.types.Context) -> str:
        armature, path = target.armature(context), Path(self.filepath)
        found = bone_map_file.read(path)
        bone_table.take_over(armature, found)
        return f"{len(found.bones)} joints from {path.name}"
