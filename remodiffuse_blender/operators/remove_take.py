# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove: one take goes."""

import bpy
from bpy.props import IntProperty

from .. import review
from .verb import UNDOABLE, Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class RemoveTake(Verb, bpy.types.Operator):
    """Throw this take away, also one with a star"""

    bl_idname = "remodiffuse.remove_take"
    bl_label = "Remove Take"
    bl_options = UNDOABLE
    precondition = staticmethod(review.check)

    index: IntProperty(
        name="Take", description="Number of the take in the list, -1 for the active one", default=-1, min=-1
    )

    def act(self, context: bpy.types.Context) -> None:
        review.remove(context, self.index)
