# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop: the armature does again what it did."""

import bpy

from .. import library
from .verb import UNDOABLE, Verb


class StopClip(Verb, bpy.types.Operator):
    """End the preview of the clip; everything is as it was before"""

    bl_idname = "remodiffuse.stop_clip"
    bl_label = "Stop"
    bl_options = UNDOABLE
    precondition = staticmethod(library.check_stop)

    def act(self, context: bpy.types.Context) -> None:
        library.stop(context)
