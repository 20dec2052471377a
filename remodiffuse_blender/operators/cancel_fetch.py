# SPDX-License-Identifier: GPL-3.0-or-later
"""Cancel: end the download of a model; what came stays for the next attempt."""

import bpy

from .. import models
from .verb import Verb


class CancelFetch(Verb, bpy.types.Operator):
    """Stop fetching the model. What came so far is kept, and Fetch goes on from it"""

    bl_idname = "remodiffuse.cancel_fetch"
    bl_label = "Cancel"
    precondition = staticmethod(models.check_running)

    def act(self, context: bpy.types.Context) -> None:
        models.cancel(wait_seconds=2.0)
