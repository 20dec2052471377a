# SPDX-License-Identifier: GPL-3.0-or-later
"""Reject: the takes under review go."""

import bpy

from .. import takes
from .verb import UNDOABLE, Verb


class RejectTakes(Verb, bpy.types.Operator):
    """Throw away all takes of the list. Actions made of accepted ones stay"""

    bl_idname = "remodiffuse.reject_takes"
    bl_label = "Reject"
    bl_options = UNDOABLE
    precondition = staticmethod(takes.check_review)

    def act(self, context: bpy.types.Context) -> None:
        takes.reject(context)
