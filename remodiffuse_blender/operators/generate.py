# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate: send the request."""

import bpy

from .. import takes
from .verb import Verb


class Generate(Verb, bpy.types.Operator):
    """Generate motion for the prompt. Blender stays free meanwhile; the takes come into the list below"""

    bl_idname = "remodiffuse.generate"
    bl_label = "Generate"
    precondition = staticmethod(takes.check_generate)

    def act(self, context: bpy.types.Context) -> None:
        takes.generate(context)
