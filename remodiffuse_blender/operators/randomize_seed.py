# SPDX-License-Identifier: GPL-3.0-or-later
"""The dice beside the seed."""

import secrets

import bpy

from .. import properties
from .verb import UNDOABLE, Verb

# Short enough to be read out and noted down.
LARGEST = 99_999


class RandomizeSeed(Verb, bpy.types.Operator):
    """Roll another seed, for another motion"""

    bl_idname = "remodiffuse.randomize_seed"
    bl_label = "Another Seed"
    bl_options = UNDOABLE

    def act(self, context: bpy.types.Context) -> None:
        properties.get(context).seed = secrets.randbelow(LARGEST + 1)
