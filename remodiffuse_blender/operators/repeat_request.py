# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeat: the last request once more, word for word."""

import bpy

from .. import takes
from .verb import Verb


class RepeatRequest(Verb, bpy.types.Operator):
    """Send the request that failed once more, as it was"""

    bl_idname = "remodiffuse.repeat_request"
    bl_label = "Try Again"
    precondition = staticmethod(takes.check_repeat)

    def act(self, context: bpy.types.Context) -> None:
        takes.repeat(context)
