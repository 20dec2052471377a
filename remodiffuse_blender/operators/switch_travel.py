# SPDX-License-Identifier: GPL-3.0-or-later
"""In place, or along the way: for a motion that is on the timeline already."""

import bpy

from .. import target, travel
from .verb import UNDOABLE, Verb


def _check(context: bpy.types.Context) -> None:
    travel.action_of(target.armature(context))


class SwitchTravel(Verb, bpy.types.Operator):
    """Take the way along the ground out of the inserted motion, or put it back"""

    bl_idname = "remodiffuse.switch_travel"
    bl_label = "Switch In Place"
    bl_options = UNDOABLE
    precondition = staticmethod(_check)

    def act(self, context: bpy.types.Context) -> str:
        action = travel.action_of(target.armature(context))
        return f"{action.name} {'stays in place' if travel.switch(action) else 'travels'}"
