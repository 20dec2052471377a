# SPDX-License-Identifier: GPL-3.0-or-later
"""The current pose is what the T-pose looks like on this rig."""

import bpy

from .. import bone_table, target
from .verb import UNDOABLE, Verb


class UseReferencePose(Verb, bpy.types.Operator):
    """Pose the character like a T: arms level, legs straight, facing forwards. Then this pose is taken as its T-pose"""

    bl_idname = "remodiffuse.use_reference_pose"
    bl_label = "Use Pose as Reference"
    bl_options = UNDOABLE
    precondition = staticmethod(target.check)

    def act(self, context: bpy.types.Context) -> str:
        count = bone_table.set_reference(target.armature(context))
        return f"The current pose is the T-pose now: {count} bones differ from rest"
