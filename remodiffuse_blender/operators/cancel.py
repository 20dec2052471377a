# SPDX-License-Identifier: GPL-3.0-or-later
"""Cancel: stop the work on the request."""

import bpy

from .. import takes
from .verb import Verb


class Cancel(Verb, bpy.types.Operator):
    """Stop generating. The scene stays as it is"""

    bl_idname = "remodiffuse.cancel"
    bl_label = "Cancel"
    precondition = staticmethod(takes.check_cancel)

    def act(self, context: bpy.types.Context) -> None:
        takes.cancel()
