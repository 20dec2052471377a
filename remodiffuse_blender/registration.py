# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender is told of when the add-on is enabled, and told to forget when it is disabled."""

from __future__ import annotations

import atexit
from typing import Any, Final

import bpy
from bpy.app.handlers import persistent

from . import (
    arrival,
    batch,
    bone_table,
    hooks,
    installation,
    library,
    manual,
    models,
    operators,
    preferences,
    presets,
    properties,
    retarget,
    review,
    takes,
    translations,
)
from .operators import generate_on_enter
from .ui import backend_preferences, bone_map_panel, library_panel, panels, presets_menu, retarget_panel

CLASSES: Final = (
    *properties.CLASSES,
    *retarget.CLASSES,
    *bone_table.CLASSES,
    preferences.RemodiffusePreferences,
    *operators.CLASSES,
    *presets_menu.CLASSES,
    *panels.CLASSES,
    *library_panel.CLASSES,
    *retarget_panel.CLASSES,
    *bone_map_panel.CLASSES,
)
ENDS: Final = (installation.end, models.end, library.end, takes.end)
"""What ends with the add-on, however that ends."""
ANSWERS: Final = {
    hooks.prompt_typed: generate_on_enter.listen,
    hooks.preview_changed: review.follow,
    hooks.search_changed: library.follow,
    hooks.models_offered: models.search,
    hooks.preferences_drawn: backend_preferences.draw,
}
_commands: Final[list[Any]] = []


@persistent
def _another_file(*_: object) -> None:
    """The scene that the request was for goes."""
    takes.cancel()


def register() -> None:
    for hook, answer in ANSWERS.items():
        hook.connect(answer)
    for each in CLASSES:
        bpy.utils.register_class(each)
    translations.register()
    manual.register()
    properties.attach()
    retarget.attach()
    bone_table.attach()
    presets.attach()
    arrival.attach()
    bpy.app.handlers.load_pre.append(_another_file)
    takes.alongside.append((library.update, library.busy))
    installation.refresh()
    models.refresh()
    for end in ENDS:
        atexit.register(end)
    _commands.append(bpy.utils.register_cli_command("remodiffuse", batch.command))


def unregister() -> None:
    while _commands:
        bpy.utils.unregister_cli_command(_commands.pop())
    for end in ENDS:
        atexit.unregister(end)
        end()
    bpy.app.handlers.load_pre.remove(_another_file)
    arrival.detach()
    bone_table.detach()
    takes.alongside.clear()
    retarget.detach()
    properties.detach()
    manual.unregister()
    translations.unregister()
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
    for hook in ANSWERS:
        hook.disconnect()
