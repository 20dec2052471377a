# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender is told of when the add-on is enabled, and told to forget when it is disabled."""

from __future__ import annotations

import atexit
from typing import Final

import bpy
from bpy.app.handlers import persistent

from . import installation, operators, preferences, properties, takes
from .ui import panels

CLASSES: Final = (*properties.CLASSES, preferences.RemodiffusePreferences, *operators.CLASSES, *panels.CLASSES)
ENDS: Final = (installation.end, takes.end)
"""What ends with the add-on, however that ends."""


@persistent
def _another_file(*_: object) -> None:
    """The scene that the request was for goes."""
    takes.cancel()


def register() -> None:
    for each in CLASSES:
        bpy.utils.register_class(each)
    properties.attach()
    bpy.app.handlers.load_pre.append(_another_file)
    installation.refresh()
    for end in ENDS:
        atexit.register(end)


def unregister() -> None:
    for end in ENDS:
        atexit.unregister(end)
        end()
    bpy.app.handlers.load_pre.remove(_another_file)
    properties.detach()
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
