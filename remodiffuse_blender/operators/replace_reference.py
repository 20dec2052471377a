# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace: another clip instead of a reference."""

import bpy
from bpy.props import IntProperty, StringProperty

from .. import references
from .verb import UNDOABLE, Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class ReplaceReference(Verb, bpy.types.Operator):
    """Use the clip that is chosen in the Motion Library instead of this one: pin that, ban this"""

    bl_idname = "remodiffuse.replace_reference"
    bl_label = "Replace"
    bl_options = UNDOABLE
    precondition = staticmethod(references.check_replace)

    library: StringProperty(name="Library", description="Name of the clip's library")
    clip: IntProperty(name="Clip", description="Number of the clip in its library")
    caption: StringProperty(name="Caption", description="What the clip shows")

    def act(self, context: bpy.types.Context) -> None:
        references.replace(context, self.library, self.clip, self.caption)
