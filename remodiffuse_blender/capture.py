# SPDX-License-Identifier: GPL-3.0-or-later
"""What the armature does now, as a `Motion`: poses and animation of any origin, read by way of its bone map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import pose_state, target
from .rig import mirror
from .rig.armature import read_rest_pose
from .rig.capture import capture
from .shared import Motion, skeleton

if TYPE_CHECKING:
    from collections.abc import Sequence

    import bpy
    from numpy.typing import NDArray

    from .rig.bone_map import BoneMap
    from .rig.rest_pose import RestPose


def times(start: float, end: float, rate: float) -> list[float]:
    """Frames of a scene with so many a second, from `start` to `end` at most, 20 a second."""
    step = rate / skeleton.FPS
    return [start + number * step for number in range(int(np.floor((end - start) / step + 1e-6)) + 1)]


def between(armature: bpy.types.Object, context: bpy.types.Context, start: float, end: float) -> Motion:
    """What plays from frame `start` to `end` of the scene, at 20 frames a second. The playhead comes back."""
    bones = _mapped(armature)
    frames = times(start, end, context.scene.render.fps / context.scene.render.fps_base)
    return as_motion(armature, matrices(armature, context, frames, bones), bones)


def matrices(
    armature: bpy.types.Object, context: bpy.types.Context, frames: Sequence[float], bones: Sequence[str]
) -> NDArray[np.float64]:
    """Posed bones (T, N, 4, 4) in armature space in these frames of the scene. The playhead comes back, and with it
    what was posed without a key.
    """
    scene = context.scene
    here, kept = (scene.frame_current, scene.frame_subframe), pose_state.read(armature)
    found = []
    try:
        for frame in frames:
            whole, part = divmod(frame, 1.0)
            scene.frame_set(int(whole), subframe=part)
            found.append(posed(armature, context, bones))
    finally:
        scene.frame_set(here[0], subframe=here[1])
        pose_state.write(armature, kept)
    return np.array(found)


def as_motion(armature: bpy.types.Object, posed: NDArray[np.float64], bones: Sequence[str]) -> Motion:
    """Posed bones (T, N, 4, 4), all those that the bone map names among them, as a motion of 20 frames a second."""
    return of_bones(read_rest_pose(armature), target.bone_map(armature), posed, bones)


def of_bones(rest: RestPose, bone_map: BoneMap, posed: NDArray[np.float64], bones: Sequence[str]) -> Motion:
    """As `as_motion`, where it is known already what the rig is like. Touches nothing of Blender."""
    every = np.broadcast_to(rest.matrices, (len(posed), *rest.matrices.shape)).copy()
    every[:, [rest.index[bone] for bone in bones]] = posed
    return capture(rest, bone_map, every, skeleton.FPS)


def _mapped(armature: bpy.types.Object) -> list[str]:
    return list(target.bone_map(armature).bones.values())


def posed(armature: bpy.types.Object, context: bpy.types.Context, bones: Sequence[str]) -> NDArray[np.float64]:
    """(N, 4, 4): the bones as they are at the current frame, in armature space, as it is seen."""
    evaluated: Any = armature.evaluated_get(context.evaluated_depsgraph_get())
    found = np.array([evaluated.pose.bones[bone].matrix for bone in bones], dtype=np.float64)
    return mirror.matrices(found) if armature.matrix_world.is_negative else found
