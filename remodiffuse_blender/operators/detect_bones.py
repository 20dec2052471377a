# SPDX-License-Identifier: GPL-3.0-or-later
"""Detect Again: the animator's bone map gives way to a fresh look."""

import bpy

from .. import bone_table, target
from .verb import UNDOABLE, Verb


class DetectBones(Verb, bpy.types.Operator):
    """Look at the bones afresh and forget what was changed in the bone map"""

    bl_idname = "remodiffuse.detect_bones"
    bl_label = "Detect Again"
    bl_options = UNDOABLE
    precondition = staticmethod(target.check)

    def act(self, context: bpy.types.Context) -> str:
        found = bone_table.detect_again(target.armature(context))
        return f"Found bones for {len(found.bones)} joints"
