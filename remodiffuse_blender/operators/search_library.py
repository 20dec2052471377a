# SPDX-License-Identifier: GPL-3.0-or-later
"""Search: find clips of the libraries."""

import bpy

from .. import library
from .verb import Verb


class SearchLibrary(Verb, bpy.types.Operator):
    """Find clips of all libraries by what they show"""

    bl_idname = "remodiffuse.search_library"
    bl_label = "Search"
    precondition = staticmethod(library.check)

    def act(self, context: bpy.types.Context) -> None:
        library.search(context)
