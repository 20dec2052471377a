# SPDX-License-Identifier: GPL-3.0-or-later
"""Re-sample: part of a motion is made anew."""

import bpy

from .. import resample
from .verb import Verb


class Resample(Verb, bpy.types.Operator):
    """Make the chosen part of the active take, or of the action that was generated, anew"""

    bl_idname = "remodiffuse.resample"
    bl_label = "Re-sample"
    precondition = staticmethod(resample.check)

    def act(self, context: bpy.types.Context) -> None:
        resample.resample(context)
