# SPDX-License-Identifier: GPL-3.0-or-later
"""Flip: the next take plays."""

import bpy
from bpy.props import IntProperty

from .. import review
from .verb import UNDOABLE, Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class FlipTake(Verb, bpy.types.Operator):
    """Play the next or the previous take"""

    bl_idname = "remodiffuse.flip_take"
    bl_label = "Flip to Another Take"
    bl_options = UNDOABLE
    precondition = staticmethod(review.check)

    step: IntProperty(name="Step", description="1 for the next take, -1 for the one before", default=1)

    def act(self, context: bpy.types.Context) -> None:
        review.flip(context, self.step)
