# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove: a prompt leaves the row."""

import bpy
from bpy.props import IntProperty

from .. import prompt_row
from .verb import UNDOABLE, Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class RemovePrompt(Verb, bpy.types.Operator):
    """Take this prompt out of the row"""

    bl_idname = "remodiffuse.remove_prompt"
    bl_label = "Remove the Prompt"
    bl_options = UNDOABLE
    precondition = staticmethod(prompt_row.check_remove)

    index: IntProperty(name="Prompt", description="Number of the prompt among those that follow", default=-1)

    def act(self, context: bpy.types.Context) -> None:
        prompt_row.remove(context, self.index)
