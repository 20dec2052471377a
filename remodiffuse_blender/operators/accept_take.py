# SPDX-License-Identifier: GPL-3.0-or-later
"""Accept: a take goes on the timeline."""

import bpy
from bpy.props import IntProperty

from .. import review
from .verb import UNDOABLE, Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class AcceptTake(Verb, bpy.types.Operator):
    """Put the take on the timeline of the active armature, as the settings under Insert say"""

    bl_idname = "remodiffuse.accept_take"
    bl_label = "Accept"
    bl_options = UNDOABLE
    precondition = staticmethod(review.check_accept)

    index: IntProperty(
        name="Take", description="Number of the take in the list, -1 for the active one", default=-1, min=-1
    )

    def act(self, context: bpy.types.Context) -> str:
        return f"Inserted: {review.accept(context, self.index).name}"
