# SPDX-License-Identifier: GPL-3.0-or-later
"""Clear: retrieval chooses alone again."""

import bpy

from .. import references
from .verb import UNDOABLE, Verb


class ClearChoices(Verb, bpy.types.Operator):
    """Let retrieval choose the references alone again"""

    bl_idname = "remodiffuse.clear_choices"
    bl_label = "Forget Pins and Bans"
    bl_options = UNDOABLE
    precondition = staticmethod(references.check_choices)

    def act(self, context: bpy.types.Context) -> None:
        references.clear(context)
