# SPDX-License-Identifier: GPL-3.0-or-later
"""In Blender's window: set the scene, then let act.sh be the user's hand.

Blender and act.sh talk by files in a folder that both see: `say(name)` makes one, `said(name)` asks for one.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from mathutils import Quaternion, Vector

sys.path.append(str(Path(__file__).resolve().parents[2]))
from tools import inside_blender
from tools.demo import mannequin

if TYPE_CHECKING:
    from collections.abc import Iterator

TALK = Path(os.environ["BLENDER_GUI_IO"])
CONTROLS = ("Torso", "Arm.L (FK)", "Arm.R (FK)", "Leg.L (FK)", "Leg.R (FK)")
PROMPT = "a person walks forward and waves"


def say(name: str) -> None:
    (TALK / name).touch()


def said(name: str) -> bool:
    return (TALK / name).exists()


def set_up() -> Any:  # noqa: ANN401  the add-on's module, known only once it is installed
    """The extension installed, a Rigify character with a body, the sidebar open on our tab."""
    archive, python = sys.argv[sys.argv.index("--") + 1 :]
    inside_blender.install(archive)
    inside_blender.preferences().python = python
    takes = __import__(f"{inside_blender.MODULE}.takes", fromlist=["takes"])
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
    return takes


def _show_sidebar() -> None:
    screen: Any = bpy.context.window.screen  # pyright: ignore[reportOptionalMemberAccess]  there is a window
    view = max((area for area in screen.areas if area.type == "VIEW_3D"), key=lambda area: area.width * area.height)
    space = view.spaces.active
    space.show_region_ui = True
    space.shading.type = "SOLID"
    space.shading.color_type = "MATERIAL"


def _look_at(rig: Any) -> None:  # noqa: ANN401  an object of Blender
    """The character from the side, left of the sidebar."""
    screen: Any = bpy.context.window.screen  # pyright: ignore[reportOptionalMemberAccess]  there is a window
    view = max((area for area in screen.areas if area.type == "VIEW_3D"), key=lambda area: area.width * area.height)
    region = view.spaces.active.region_3d
    turn = Quaternion((0.72, 0.53, 0.26, 0.36))
    region.view_rotation, region.view_distance = turn, 4.4
    region.view_location = rig.matrix_world @ rig.pose.bones["torso"].head + turn @ Vector((0.45, 0.0, 0.0))


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
    takes = set_up()
    yield
    while not _choose_tab():
        yield
    scene: Any = bpy.context.scene
    scene.render.fps = 20
    scene.frame_start = scene.frame_current = 1
    scene.frame_end = 100
    settings = scene.remodiffuse
    settings.prompt, settings.seconds, settings.seed, settings.count = PROMPT, 5.0, 1, 3
    # Lets act.sh begin: the window shows the request.
    Path(os.environ["BLENDER_GUI_READY"]).touch()
    while not said("generate"):
        yield
    operators: Any = getattr(bpy.ops, "remodiffuse")  # noqa: B009  unknown to the stubs
    operators.generate()
    while takes.session.job and takes.session.job.stage != "sampling":
        yield
    say("sampling")
    while takes.session.job:
        yield
    say("takes")
    while not said("accept"):
        yield
    operators.accept_take()
    scene.frame_set(42)
    _look_at(bpy.context.object)
    say("accepted")
    while True:
        yield


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

    bpy.app.timers.register(tick, first_interval=1.0)


main()
