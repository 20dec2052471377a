# SPDX-License-Identifier: GPL-3.0-or-later
"""Add: another prompt in the row."""

import bpy

from .. import prompt_row
from .verb import UNDOABLE, Verb


class AddPrompt(Verb, bpy.types.Operator):
    """Add a prompt that follows in the same motion; the join is generated"""

    bl_idname = "remodiffuse.add_prompt"
    bl_label = "Add a Prompt"
    bl_options = UNDOABLE
    precondition = staticmethod(prompt_row.check_add)

    def act(self, context: bpy.types.Context) -> None:
        prompt_row.add(context)
