# SPDX-License-Identifier: GPL-3.0-or-later
"""Reject: the takes under review go."""

import bpy

from .. import review
from .verb import UNDOABLE, Verb


class RejectTakes(Verb, bpy.types.Operator):
    """Throw away all takes without a star, and bring back what the preview covered. Actions of accepted takes stay"""

    bl_idname = "remodiffuse.reject_takes"
    bl_label = "Reject"
    bl_options = UNDOABLE
    precondition = staticmethod(review.check)

    def act(self, context: bpy.types.Context) -> str:
        return f"{review.reject(context)} takes thrown away"
