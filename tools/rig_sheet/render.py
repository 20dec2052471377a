# SPDX-License-Identifier: GPL-3.0-or-later
# Blender's stubs know object data by its base classes only.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""Inside Blender: the take of a folder on each rig of its request, some moments of it as pictures.

    python -m tools.rig_sheet.render FOLDER

Leaves RIG-MOMENT.png (numbers from 0) and sheet.json, which says what they show.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import bpy
import numpy as np

from remodiffuse_blender import timeline
from remodiffuse_blender.rig.armature import read_rest_pose
from remodiffuse_blender.rig.detect import map_bones
from remodiffuse_blender.rig.families import known_families
from remodiffuse_blender.rig.solve import solve

from ..demo import mannequin, stage
from ..inside_blender import run
from ..rig_files import load
from ..rig_report.inside import read_motion

if TYPE_CHECKING:
    from remodiffuse_blender.shared import Motion

HEIGHT: Final = 1.75
"""Every figure is shown at this size, metres: files are in metres, centimetres or whatever pleased their makers."""
HEADROOM: Final = 1.15
"""Arms are raised."""
EDGES: Final = (0.275, 0.725)
"""What is kept of the picture's width: the camera keeps the character in the middle."""


def main() -> None:
    folder = Path(sys.argv[1])
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    motion = read_motion(folder / "take.npz")
    moments = request["moments"]
    frames = [round((number + 0.5) * motion.frames / moments) for number in range(moments)]
    titles = []
    for number, file in enumerate(request["files"]):
        titles.append(_put_on(Path(file), motion))
        for moment, frame in enumerate(frames):
            _picture(folder / f"{number}-{moment}.png", frame)
    seconds = [frame / motion.fps for frame in frames]
    (folder / "sheet.json").write_text(json.dumps({"titles": titles, "seconds": seconds}), encoding="utf-8")


def _put_on(file: Path, motion: Motion) -> str:
    """The rig of a file on a stage, moved by the motion from frame 0 on; what kind of rig it is, in words."""
    rig = load(file)
    scene: Any = bpy.context.scene
    scene.render.fps, scene.render.fps_base = round(motion.fps), 1.0
    scene.frame_start, scene.frame_end = 0, motion.frames - 1
    bone_map = map_bones(read_rest_pose(rig))
    _resized(rig, HEIGHT / mannequin.rest_figure(rig, bone_map.bones).height)
    rest = read_rest_pose(rig)
    timeline.write_action(rig, solve(rest, bone_map, motion), "take", 0.0)
    scene.frame_set(0)
    figure = mannequin.rest_figure(rig, bone_map.bones)
    bodies = [each for each in scene.objects if each.type == "MESH" and each.find_armature() == rig]
    bodies = bodies or [mannequin.build(rig, bone_map.bones)]
    rig.hide_set(True)
    path = []
    for frame in range(motion.frames):
        scene.frame_set(frame)
        left, right = (rig.pose.bones[bone_map.bones[f"{side}_hip"]].head for side in ("left", "right"))
        path.append(np.array(rig.matrix_world @ (0.5 * (left + right))))
    stage.build(scene, bodies, np.array(path), figure.forward, HEADROOM * figure.height)
    scene.render.use_border = scene.render.use_crop_to_border = True
    scene.render.border_min_x, scene.render.border_max_x = EDGES
    titles = {family.name: family.title for family in known_families()}
    return f"{titles.get(bone_map.family, 'Unknown family')}, {len(rest.names)} bones"


def _resized(rig: bpy.types.Object, factor: float) -> None:
    """Makes the rig's topmost object, and with it all that it carries, larger by a factor."""
    top = rig
    while top.parent:
        top = top.parent
    top.scale = [each * factor for each in top.scale]
    top.location = [each * factor for each in top.location]
    bpy.context.view_layer.update()


def _picture(file: Path, frame: int) -> None:
    scene: Any = bpy.context.scene
    scene.frame_set(frame)
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.filepath = str(file)
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    run(main)
