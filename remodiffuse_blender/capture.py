# SPDX-License-Identifier: GPL-3.0-or-later
"""What the armature does now, as a `Motion`: poses and animation of any origin, read by way of its bone map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import target
from .rig.armature import read_rest_pose
from .rig.capture import capture
from .shared import Motion, skeleton

if TYPE_CHECKING:
    import bpy


def pose(armature: bpy.types.Object, context: bpy.types.Context) -> Motion:
    """The pose at the current frame: a motion of one frame."""
    return _motion(armature, [_matrices(armature, context)], skeleton.FPS)


def between(armature: bpy.types.Object, context: bpy.types.Context, start: float, end: float) -> Motion:
    """What plays from frame `start` to `end` of the scene, at 20 frames a second. The playhead comes back."""
    scene = context.scene
    step = scene.render.fps / scene.render.fps_base / skeleton.FPS
    count = int(np.floor((end - start) / step + 1e-6)) + 1
    here = scene.frame_current, scene.frame_subframe
    frames = []
    try:
        for number in range(count):
            whole, part = divmod(start + number * step, 1.0)
            scene.frame_set(int(whole), subframe=part)
            frames.append(_matrices(armature, context))
    finally:
        scene.frame_set(here[0], subframe=here[1])
    return _motion(armature, frames, skeleton.FPS)


def _matrices(armature: bpy.types.Object, context: bpy.types.Context) -> list[Any]:
    posed: Any = armature.evaluated_get(context.evaluated_depsgraph_get())
    return [np.array(bone.matrix) for bone in posed.pose.bones]


def _motion(armature: bpy.types.Object, frames: list[list[Any]], fps: float) -> Motion:
    rest = read_rest_pose(armature)
    bones: Any = armature.pose.bones  # pyright: ignore[reportOptionalMemberAccess]  an armature has a pose
    place = {bone.name: index for index, bone in enumerate(bones)}
    matrices = np.array(frames, dtype=np.float64)[:, [place[name] for name in rest.names]]
    return capture(rest, target.bone_map(armature), matrices, fps)
