# SPDX-License-Identifier: GPL-3.0-or-later
"""In Blender's window: set the scene, then let act.sh be the user's hand.

The hand works by mouse and keyboard alone. To know when to go on it writes a Python expression to the file `expect` in
a folder that both see; once it is true here, the file `met` appears.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from mathutils import Quaternion

sys.path.append(str(Path(__file__).resolve().parents[2]))
from tools import holds, inside_blender
from tools.demo import mannequin

if TYPE_CHECKING:
    from collections.abc import Iterator

held = holds.Holds(inside_blender.MODULE)
TALK = Path(os.environ["BLENDER_GUI_IO"])
CONTROLS = ("Torso", "Arm.L (FK)", "Arm.R (FK)", "Leg.L (FK)", "Leg.R (FK)")


def set_up() -> None:
    """The extension installed, a Rigify character with a body, the sidebar open on our tab."""
    archive, python = sys.argv[sys.argv.index("--") + 1 :]
    inside_blender.install(archive)
    inside_blender.preferences().python = python
    target = __import__(f"{inside_blender.MODULE}.target", fromlist=["target"])
    for each in list(bpy.data.objects):
        bpy.data.objects.remove(each)
    bpy.ops.preferences.addon_enable(module="rigify")
    operators: Any = bpy.ops
    operators.object.armature_human_metarig_add()
    metarig: Any = bpy.context.object
    operators.pose.rigify_generate()
    rig: Any = bpy.context.object
    bpy.data.objects.remove(metarig)
    mannequin.build(rig, target.bone_map(rig).bones)
    rig.name = "Hero"
    _look_at(rig)
    for collection in rig.data.collections_all:
        collection.is_visible = collection.name in CONTROLS
    _show_sidebar()


def _show_sidebar() -> None:
    screen: Any = bpy.context.window.screen  # pyright: ignore[reportOptionalMemberAccess]  there is a window
    view = max((area for area in screen.areas if area.type == "VIEW_3D"), key=lambda area: area.width * area.height)
    space = view.spaces.active
    space.show_region_ui = True
    space.shading.type = "SOLID"
    space.shading.color_type = "MATERIAL"


def _look_at(rig: Any) -> None:  # noqa: ANN401  an object of Blender
    """The character from the side, wherever it walks."""
    screen: Any = bpy.context.window.screen  # pyright: ignore[reportOptionalMemberAccess]  there is a window
    view = max((area for area in screen.areas if area.type == "VIEW_3D"), key=lambda area: area.width * area.height)
    region = view.spaces.active.region_3d
    turn = Quaternion((0.72, 0.53, 0.26, 0.36))
    region.view_rotation, region.view_distance = turn, 4.4
    view.spaces.active.lock_object, view.spaces.active.lock_bone = rig, "torso"


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
    held.watch()
    yield
    while not _choose_tab():
        yield
    scene: Any = bpy.context.scene
    scene.render.fps = 20
    scene.frame_start = scene.frame_current = 1
    scene.frame_end = 160
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(tempfile.mkdtemp()) / "session.blend"))
    # Lets act.sh begin.
    Path(os.environ["BLENDER_GUI_READY"]).touch()
    while True:
        _meet()
        yield


def hips_move(start: int, end: int) -> float:
    """How far the hips are apart in two frames, in metres."""
    scene: Any = bpy.context.scene
    here, places = scene.frame_current, []
    for frame in (start, end):
        scene.frame_set(frame)
        places.append(bpy.data.objects["Hero"].pose.bones["DEF-spine"].head.copy())  # pyright: ignore[reportOptionalMemberAccess]
    scene.frame_set(here)
    return (places[1] - places[0]).length


def _meet() -> None:
    """Says so once what act.sh expects is true."""
    expected = TALK / "expect"
    if not expected.exists():
        return
    takes: Any = sys.modules[f"{inside_blender.MODULE}.takes"]
    scene: Any = bpy.context.scene
    hero: Any = bpy.data.objects.get("Hero")
    data = hero and hero.animation_data
    names = {
        "bpy": bpy,
        "session": takes.session,
        "scene": scene,
        "settings": scene.remodiffuse,
        "hero": hero,
        "action": data and data.action,
        "held": held,
        "hips_move": hips_move,
        "strips": [strip for track in data.nla_tracks for strip in track.strips] if data else [],
    }
    try:
        met = eval(expected.read_text(), names)  # noqa: S307  act.sh beside this file wrote it
    except (AttributeError, IndexError):
        # Not there yet.
        return
    if met:
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

    # It goes on when another file is opened.
    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)


main()
