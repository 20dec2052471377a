# SPDX-License-Identifier: GPL-3.0-or-later
"""Star: a take that is liked stays when the others are rejected."""

import bpy
from bpy.props import IntProperty

from .. import review
from .verb import UNDOABLE, Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class StarTake(Verb, bpy.types.Operator):
    """Give the take a star, or take it away. Rejecting keeps takes with a star"""

    bl_idname = "remodiffuse.star_take"
    bl_label = "Star"
    bl_options = UNDOABLE
    precondition = staticmethod(review.check)

    index: IntProperty(
        name="Take", description="Number of the take in the list, -1 for the active one", default=-1, min=-1
    )

    def act(self, context: bpy.types.Context) -> None:
        review.star(context, self.index)
