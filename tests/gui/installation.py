# SPDX-License-Identifier: GPL-3.0-or-later
"""In Blender's window, for installation.sh: the preferences beside the sidebar, nothing installed, a folder of wheels.
acts/installation.sh is the user's hand.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import addon_utils  # pyright: ignore[reportMissingImports]  Blender's own
import bpy

sys.path += [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]
import window

from tools import inside_blender

if TYPE_CHECKING:
    from collections.abc import Iterator


def setting() -> Iterator[None]:
    archive, wheels, python = sys.argv[sys.argv.index("--") + 1 :]
    inside_blender.install(archive)
    chosen = inside_blender.preferences()
    chosen.wheels, chosen.install_python = wheels, python
    build = __import__(f"{inside_blender.MODULE}.rig.armature", fromlist=["armature"]).build_skeleton
    for each in list(bpy.data.objects):
        bpy.data.objects.remove(each)
    build("Hero")
    scene: Any = bpy.context.scene
    scene.remodiffuse.prompt, scene.remodiffuse.seconds = "a person walks forward and waves", 4.0
    yield
    _arrange()
    yield


def _arrange() -> None:
    """The preferences where the 3D view was, and a small 3D view for the sidebar right of them."""
    chief: Any = bpy.context.window
    areas = {area.type: area for area in chief.screen.areas}
    areas["VIEW_3D"].type = "PREFERENCES"
    areas["PROPERTIES"].type = "VIEW_3D"
    areas["PROPERTIES"].spaces.active.show_region_ui = True
    areas["PROPERTIES"].spaces.active.show_region_header = False
    preferences: Any = bpy.context.preferences
    preferences.active_section = "ADDONS"
    chief.id_data.addon_search = "ReMoDiffuse"
    details = cast("dict[str, Any]", addon_utils.module_bl_info(sys.modules[inside_blender.MODULE]))
    details["show_expanded"] = True


def names() -> dict[str, Any]:
    """What acts/installation.sh asks for."""
    installation = sys.modules[f"{inside_blender.MODULE}.installation"].installation
    return {"installation": installation, "preferences": inside_blender.preferences()}


window.run(setting(), names)
