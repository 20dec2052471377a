# SPDX-License-Identifier: GPL-3.0-or-later
"""Another seed: the same prompt once more."""

import bpy

from .. import resample
from .verb import Verb


class AnotherSeed(Verb, bpy.types.Operator):
    """Sample the active take, or the action that was generated, once more with other seeds"""

    bl_idname = "remodiffuse.another_seed"
    bl_label = "Another Seed"
    precondition = staticmethod(resample.check)

    def act(self, context: bpy.types.Context) -> None:
        resample.another_seed(context)
