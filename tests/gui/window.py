# SPDX-License-Identifier: GPL-3.0-or-later
"""In Blender's window: set the scene, then let a script of tests/gui/acts be the user's hand.

The hand works by mouse and keyboard alone. To know when to go on it writes a Python expression to the file `expect` in
a folder that both see; once it is true here, the file `met` appears.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from tools import inside_blender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TALK = Path(os.environ["BLENDER_GUI_IO"])


def run(setting: Iterator[None], names: Callable[[], dict[str, Any]]) -> None:
    """Sets the scene, opens our tab and then answers the hand, whose expressions may use `names` besides bpy, os,
    scene, settings, session, hero (the armature) and action (what it plays). Each step of `setting` gives Blender its
    time.
    """
    running = _steps(setting, names)

    def tick() -> float:
        try:
            next(running)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        return 0.1

    # It goes on when another file is opened.
    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)


def largest_view() -> Any:  # noqa: ANN401  an area
    screen: Any = bpy.context.window.screen  # pyright: ignore[reportOptionalMemberAccess]  there is a window
    return max((area for area in screen.areas if area.type == "VIEW_3D"), key=lambda area: area.width * area.height)


def show_sidebar() -> None:
    space = largest_view().spaces.active
    space.show_region_ui = True
    space.shading.type = "SOLID"
    space.shading.color_type = "MATERIAL"


def _steps(setting: Iterator[None], names: Callable[[], dict[str, Any]]) -> Iterator[None]:
    yield from setting
    while not _choose_tab():
        yield
    # Lets the hand begin.
    Path(os.environ["BLENDER_GUI_READY"]).touch()
    while True:
        _meet(names)
        yield


def _choose_tab() -> bool:
    """Open our tab in the sidebar; not possible before it has been drawn once."""
    try:
        next(each for each in largest_view().regions if each.type == "UI").active_panel_category = "ReMoDiffuse"
    except AttributeError:
        return False
    return True


def _meet(names: Callable[[], dict[str, Any]]) -> None:
    """Says so once what the hand expects is true."""
    expected = TALK / "expect"
    if not expected.exists():
        return
    scene: Any = bpy.context.scene
    hero: Any = bpy.data.objects.get("Hero")
    usual = {
        "bpy": bpy,
        "os": os,
        "scene": scene,
        "settings": scene.remodiffuse,
        "session": sys.modules[f"{inside_blender.MODULE}.takes"].session,
        "hero": hero,
        "action": hero and hero.animation_data and hero.animation_data.action,
    }
    try:
        met = eval(expected.read_text(), usual | names())  # noqa: S307  the hand's script beside this one wrote it
    except (AttributeError, IndexError, KeyError):
        # Not there yet.
        return
    if met:
        expected.unlink()
        (TALK / "met").touch()
