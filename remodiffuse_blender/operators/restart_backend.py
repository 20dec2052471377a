# SPDX-License-Identifier: GPL-3.0-or-later
"""Restart: another process of the backend, whatever the old one does."""

import bpy

from .. import takes
from .verb import Verb


class RestartBackend(Verb, bpy.types.Operator):
    """Start the backend now, or end it and start it again. A request on its way is cancelled"""

    bl_idname = "remodiffuse.restart_backend"
    bl_label = "Restart Backend"
    precondition = staticmethod(takes.check_backend)

    def act(self, context: bpy.types.Context) -> None:
        takes.restart(context)
