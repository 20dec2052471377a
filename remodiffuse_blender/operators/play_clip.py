# SPDX-License-Identifier: GPL-3.0-or-later
"""Play: a clip of a library on the armature, for now."""

import bpy
from bpy.props import IntProperty, StringProperty

from .. import library
from .verb import Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class PlayClip(Verb, bpy.types.Operator):
    """Play the clip on the armature. Stop brings back what was there before"""

    bl_idname = "remodiffuse.play_clip"
    bl_label = "Play"
    precondition = staticmethod(library.check_play)

    library: StringProperty(name="Library", description="Name of the clip's library")
    clip: IntProperty(name="Clip", description="Number of the clip in its library")
    caption: StringProperty(name="Caption", description="What the clip shows")

    def act(self, context: bpy.types.Context) -> None:
        library.play(context, self.library, self.clip, self.caption)
