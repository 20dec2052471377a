# SPDX-License-Identifier: GPL-3.0-or-later
"""Repair: install everything anew."""

import bpy

from .. import installation, takes
from .verb import Verb


class RepairBackend(Verb, bpy.types.Operator):
    """Remove the backend's environment and install it again. Motions, models and libraries stay"""

    bl_idname = "remodiffuse.repair_backend"
    bl_label = "Repair"
    precondition = staticmethod(installation.check_installed)

    def act(self, context: bpy.types.Context) -> None:
        takes.stop(wait_seconds=2.0)
        installation.install(context, repair=True)
