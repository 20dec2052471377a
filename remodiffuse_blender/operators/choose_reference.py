# SPDX-License-Identifier: GPL-3.0-or-later
"""Pin or ban: the animator's word about a reference."""

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from .. import references
from .verb import UNDOABLE, Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class ChooseReference(Verb, bpy.types.Operator):
    """Always use this clip as a reference, or never. Press it again to take that back"""

    bl_idname = "remodiffuse.choose_reference"
    bl_label = "Pin or Ban"
    bl_options = UNDOABLE

    library: StringProperty(name="Library", description="Name of the clip's library")
    clip: IntProperty(name="Clip", description="Number of the clip in its library")
    caption: StringProperty(name="Caption", description="What the clip shows")
    banned: BoolProperty(name="Never Use", description="Ban the clip instead of pinning it")

    def act(self, context: bpy.types.Context) -> None:
        references.choose(context, self.library, self.clip, self.caption, banned=self.banned)
