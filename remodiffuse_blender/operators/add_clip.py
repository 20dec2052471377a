# SPDX-License-Identifier: GPL-3.0-or-later
"""Add: the active action becomes a clip of one's own library."""

import bpy

from .. import library
from .verb import Verb


class AddClip(Verb, bpy.types.Operator):
    """Add the active action to your own library, with the caption on the left. It guides the next takes at once"""

    bl_idname = "remodiffuse.add_clip"
    bl_label = "Add"
    precondition = staticmethod(library.check_add)

    def act(self, context: bpy.types.Context) -> None:
        library.add(context)
