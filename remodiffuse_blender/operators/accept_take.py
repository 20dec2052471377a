# SPDX-License-Identifier: GPL-3.0-or-later
"""Accept: a take becomes an action."""

import bpy
from bpy.props import IntProperty

from .. import takes
from .verb import UNDOABLE, Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class AcceptTake(Verb, bpy.types.Operator):
    """Write the take as a new action of the active armature, from the current frame on. The old action is kept"""

    bl_idname = "remodiffuse.accept_take"
    bl_label = "Accept"
    bl_options = UNDOABLE
    precondition = staticmethod(takes.check_accept)

    index: IntProperty(
        name="Take", description="Number of the take in the list, -1 for the active one", default=-1, min=-1
    )

    def act(self, context: bpy.types.Context) -> str:
        return f"New action: {takes.accept(context, self.index).name}"
