# SPDX-License-Identifier: GPL-3.0-or-later
"""In Blender's window, for installation.sh: the preferences beside the sidebar, nothing installed, a folder of wheels.

installation_act.sh is the user's hand. To know when to go on it writes a Python expression to the file `expect` in a
folder that both see; once it is true here, the file `met` appears.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import addon_utils  # pyright: ignore[reportMissingImports]  Blender's own
import bpy

sys.path.append(str(Path(__file__).resolve().parents[2]))
from tools import inside_blender

if TYPE_CHECKING:
    from collections.abc import Iterator

TALK = Path(os.environ["BLENDER_GUI_IO"])


def set_up() -> None:
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


def _arrange() -> None:
    """The preferences where the 3D view was, and a small 3D view for the sidebar right of them."""
    window: Any = bpy.context.window
    areas = {area.type: area for area in window.screen.areas}
    areas["VIEW_3D"].type = "PREFERENCES"
    areas["PROPERTIES"].type = "VIEW_3D"
    areas["PROPERTIES"].spaces.active.show_region_ui = True
    areas["PROPERTIES"].spaces.active.show_region_header = False
    preferences: Any = bpy.context.preferences
    preferences.active_section = "ADDONS"
    window.id_data.addon_search = "ReMoDiffuse"
    details = cast("dict[str, Any]", addon_utils.module_bl_info(sys.modules[inside_blender.MODULE]))
    details["show_expanded"] = True


def _choose_tab() -> bool:
    """Open our tab in the sidebar; not possible before it has been drawn once."""
    screen: Any = bpy.context.window.screen  # pyright: ignore[reportOptionalMemberAccess]  there is a window
    regions = [region for area in screen.areas if area.type == "VIEW_3D" for region in area.regions]
    try:
        next(each for each in regions if each.type == "UI").active_panel_category = "ReMoDiffuse"
    except AttributeError:
        return False
    return True


def steps() -> Iterator[None]:
    """Each `yield` gives Blender its time."""
    set_up()
    yield
    _arrange()
    yield
    while not _choose_tab():
        yield
    Path(os.environ["BLENDER_GUI_READY"]).touch()
    while True:
        _meet()
        yield


def _meet() -> None:
    """Says so once what the hand expects is true."""
    expected = TALK / "expect"
    if not expected.exists():
        return
    scene: Any = bpy.context.scene
    names = {
        "os": os,
        "session": sys.modules[f"{inside_blender.MODULE}.takes"].session,
        "installation": sys.modules[f"{inside_blender.MODULE}.installation"].installation,
        "preferences": inside_blender.preferences(),
        "settings": scene.remodiffuse,
    }
    if eval(expected.read_text(), names):  # noqa: S307  the file beside this one wrote it
        expected.unlink()
        (TALK / "met").touch()


def main() -> None:
    running = steps()

    def tick() -> float:
        try:
            next(running)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        return 0.1

    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)


main()
