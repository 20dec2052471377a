# SPDX-License-Identifier: GPL-3.0-or-later
"""In Blender's window, for session.sh: a Rigify character with a body. acts/session.sh is the user's hand."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from mathutils import Quaternion

sys.path += [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]
import window

from tools import holds, inside_blender
from tools.demo import mannequin

if TYPE_CHECKING:
    from collections.abc import Iterator

held = holds.Holds(inside_blender.MODULE)
CONTROLS = ("Torso", "Arm.L (FK)", "Arm.R (FK)", "Leg.L (FK)", "Leg.R (FK)")


def setting() -> Iterator[None]:
    """The extension installed, a Rigify character with a body, the sidebar open."""
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
    window.show_sidebar()
    held.watch()
    yield
    scene: Any = bpy.context.scene
    scene.render.fps = 20
    scene.frame_start = scene.frame_current = 1
    scene.frame_end = 160
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(tempfile.mkdtemp()) / "session.blend"))


def _look_at(rig: Any) -> None:  # noqa: ANN401  an object of Blender
    """The character from the side, wherever it walks."""
    space = window.largest_view().spaces.active
    space.region_3d.view_rotation, space.region_3d.view_distance = Quaternion((0.72, 0.53, 0.26, 0.36)), 4.4
    space.lock_object, space.lock_bone = rig, "torso"


def hips_move(start: int, end: int) -> float:
    """How far the hips are apart in two frames, in metres."""
    scene: Any = bpy.context.scene
    here, places = scene.frame_current, []
    for frame in (start, end):
        scene.frame_set(frame)
        places.append(bpy.data.objects["Hero"].pose.bones["DEF-spine"].head.copy())  # pyright: ignore[reportOptionalMemberAccess]
    scene.frame_set(here)
    return (places[1] - places[0]).length


def names() -> dict[str, Any]:
    """What acts/session.sh asks for."""
    data: Any = bpy.data.objects["Hero"].animation_data
    strips = [strip for track in data.nla_tracks for strip in track.strips] if data else []
    return {"held": held, "hips_move": hips_move, "strips": strips}


window.run(setting(), names)
