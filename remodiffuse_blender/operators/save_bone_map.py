# SPDX-License-Identifier: GPL-3.0-or-later
"""The bone map becomes a file."""

from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ExportHelper

from .. import bone_map_file, bone_table, target
from .verb import REGISTERED, Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class SaveBoneMap(Verb, ExportHelper, bpy.types.Operator):  # pyright: ignore[reportIncompatibleMethodOverride] Blender's own mixin
    """Write the bone map and the reference pose to a file, for other characters that are built the same way"""

    bl_idname = "remodiffuse.save_bone_map"
    bl_label = "Save Bone Map"
    bl_options = REGISTERED
    precondition = staticmethod(target.check)
    filename_ext = ".json"

    filepath: StringProperty(subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def act(self, context: bpy.types.Context) -> str:
        path = Path(self.filepath)
        bone_map_file.write(path, bone_table.proposal(target.armature(context)))
        return f"Wrote {path.name}"
