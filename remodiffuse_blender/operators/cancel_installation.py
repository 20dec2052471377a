# SPDX-License-Identifier: GPL-3.0-or-later
"""Cancel: end the installation; what is there stays for the next attempt."""

import bpy

from .. import installation
from .verb import Verb


class CancelInstallation(Verb, bpy.types.Operator):
    """Stop installing. What is there is kept, and Install goes on from it"""

    bl_idname = "remodiffuse.cancel_installation"
    bl_label = "Cancel"
    precondition = staticmethod(installation.check_running)

    def act(self, context: bpy.types.Context) -> None:
        installation.cancel(wait_seconds=2.0)
