# SPDX-License-Identifier: GPL-3.0-or-later
"""In Blender's window, for panels.sh: a plain skeleton with a body, and a folder of clips. acts/panels.sh is the user's
hand.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from mathutils import Quaternion

sys.path += [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]
import window

from backend.motion import formats
from tools import inside_blender
from tools.demo import mannequin

if TYPE_CHECKING:
    from collections.abc import Iterator


CLIPS = Path(inside_blender.__file__).parents[1] / "build" / "gui" / "clips"


def module(name: str) -> Any:  # noqa: ANN401  a module of the installed add-on
    return __import__(f"{inside_blender.MODULE}.{name}", fromlist=[name])


def setting() -> Iterator[None]:
    """The extension installed, a plain skeleton with a body, the sidebar open; file dialogs come in the same window."""
    archive, python = sys.argv[sys.argv.index("--") + 1 :]
    inside_blender.install(archive)
    inside_blender.preferences().python = python
    for each in list(bpy.data.objects):
        bpy.data.objects.remove(each)
    rig = module("rig.armature").build_skeleton("Hero")
    mannequin.build(rig, module("target").bone_map(rig).bones)
    space = window.largest_view().spaces.active
    space.region_3d.view_rotation, space.region_3d.view_distance = Quaternion((0.72, 0.53, 0.26, 0.36)), 4.4
    space.lock_object, space.lock_bone = rig, "pelvis"
    window.show_sidebar()
    preferences: Any = bpy.context.preferences
    preferences.view.filebrowser_display_type = "SCREEN"
    _write_clips()
    yield
    scene: Any = bpy.context.scene
    scene.render.fps = 20
    scene.frame_start, scene.frame_end, scene.frame_current = 1, 160, 1
    scene.remodiffuse.seconds = 3.0


def _write_clips() -> None:
    """Two files of a walk, and what they show."""
    sys.path.append(str(Path(__file__).resolve().parents[1] / "blender"))
    motions = __import__("motions")
    CLIPS.mkdir(parents=True, exist_ok=True)
    for name, yaw in (("ahead", 0.0), ("aside", 1.5)):
        (CLIPS / f"{name}.bvh").write_text(formats.bvh_text(motions.walk(inside_blender.MODULE, yaw=yaw)))
    rows = (
        "file,caption,licence",
        "ahead.bvh,a person marches ahead,CC0-1.0",
        "aside.bvh,a person marches aside,CC0-1.0",
    )
    (CLIPS / "captions.csv").write_text("\n".join(rows))


def names() -> dict[str, Any]:
    """What acts/panels.sh asks for."""
    scene: Any = bpy.context.scene
    manager: Any = bpy.context.window_manager
    return {
        "desk": module("library").desk,
        "presets": module("presets"),
        "library": manager.remodiffuse_library,
        "found": manager.remodiffuse_library.found,
        "resample": scene.remodiffuse.resample,
    }


window.run(setting(), names)
