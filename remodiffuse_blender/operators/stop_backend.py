# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop: the backend ends and gives its memory back."""

import bpy

from .. import takes
from .verb import Verb


class StopBackend(Verb, bpy.types.Operator):
    """End the backend at once and give its memory back. A request on its way is cancelled"""

    bl_idname = "remodiffuse.stop_backend"
    bl_label = "Stop Backend"
    precondition = staticmethod(takes.check_running)

    def act(self, context: bpy.types.Context) -> None:
        takes.stop()
