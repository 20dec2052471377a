# SPDX-License-Identifier: GPL-3.0-or-later
"""Cancel: no more files are imported."""

import bpy

from .. import library
from .verb import Verb


class CancelImport(Verb, bpy.types.Operator):
    """Stop importing. Clips that were added already stay"""

    bl_idname = "remodiffuse.cancel_import"
    bl_label = "Cancel"
    precondition = staticmethod(library.check_importing)

    def act(self, context: bpy.types.Context) -> None:
        library.cancel_import()
