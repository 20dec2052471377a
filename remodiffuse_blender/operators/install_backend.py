# SPDX-License-Identifier: GPL-3.0-or-later
"""Install: the backend's own environment in the add-on's user folder."""

import bpy
from bpy.props import FloatProperty

from .. import installation
from .verb import Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class InstallBackend(Verb, bpy.types.Operator):
    """Install PyTorch and what else the backend needs into the add-on's own folder. Blender stays free meanwhile"""

    bl_idname = "remodiffuse.install_backend"
    bl_label = "Install"
    precondition = staticmethod(installation.check_idle)

    wait: FloatProperty(
        name="Wait", description="For scripts: seconds to wait for the end", default=0.0, min=0.0, options={"SKIP_SAVE"}
    )

    def act(self, context: bpy.types.Context) -> None:
        installation.install(context)
        if self.wait:
            installation.wait(self.wait)
