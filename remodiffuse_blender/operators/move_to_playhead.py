# SPDX-License-Identifier: GPL-3.0-or-later
"""To the playhead: the take under review begins here."""

import bpy

from .. import review
from .verb import UNDOABLE, Verb


class MoveToPlayhead(Verb, bpy.types.Operator):
    """Let the motion begin at the current frame"""

    bl_idname = "remodiffuse.move_to_playhead"
    bl_label = "Begin at Playhead"
    bl_options = UNDOABLE

    def act(self, context: bpy.types.Context) -> None:
        review.move_to_playhead(context)
