# SPDX-License-Identifier: GPL-3.0-or-later
"""The T-pose is worked out from the rest pose again."""

import bpy

from .. import bone_table, target
from .verb import UNDOABLE, Verb


class ClearReferencePose(Verb, bpy.types.Operator):
    """Work out the T-pose from the rest pose again"""

    bl_idname = "remodiffuse.clear_reference_pose"
    bl_label = "Clear Reference Pose"
    bl_options = UNDOABLE
    precondition = staticmethod(target.check)

    def act(self, context: bpy.types.Context) -> None:
        bone_table.clear_reference(target.armature(context))
