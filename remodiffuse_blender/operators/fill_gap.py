# SPDX-License-Identifier: GPL-3.0-or-later
"""Fill: a motion between two poses or actions."""

import bpy

from .. import resample
from .verb import Verb


class FillGap(Verb, bpy.types.Operator):
    """Generate what the prompt says between what plays before the preview range and what plays after it"""

    bl_idname = "remodiffuse.fill_gap"
    bl_label = "Fill Preview Range"
    precondition = staticmethod(resample.check_gap)

    def act(self, context: bpy.types.Context) -> None:
        resample.fill_gap(context)
