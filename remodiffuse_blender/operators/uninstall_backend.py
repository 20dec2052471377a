# SPDX-License-Identifier: GPL-3.0-or-later
"""Uninstall: the backend's own environment goes."""

import bpy

from .. import installation, takes
from .verb import Verb


class UninstallBackend(Verb, bpy.types.Operator):
    """Remove the backend's environment and give its disk space back. Motions, models and libraries stay"""

    bl_idname = "remodiffuse.uninstall_backend"
    bl_label = "Uninstall"
    precondition = staticmethod(installation.check_installed)

    def act(self, context: bpy.types.Context) -> None:
        takes.stop(wait_seconds=2.0)
        installation.uninstall(context)
