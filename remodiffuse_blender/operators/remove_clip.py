# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove: a clip leaves its library."""

from typing import Any

import bpy

from .. import library
from .verb import UNDOABLE, Verb


class RemoveClip(Verb, bpy.types.Operator):
    """Delete the chosen clip from your library for good"""

    bl_idname = "remodiffuse.remove_clip"
    bl_label = "Remove Clip"
    bl_options = UNDOABLE
    precondition = staticmethod(library.check_chosen)

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:  # noqa: ANN401
        return context.window_manager.invoke_confirm(self, event)

    def act(self, context: bpy.types.Context) -> None:
        library.remove(context)
