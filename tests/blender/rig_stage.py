# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's rig room on real armatures, and what Blender itself makes of its keys."""

from __future__ import annotations

import importlib
from typing import Any

import bpy
import numpy as np

Array = Any
Rna = Any
"""Blender's types differ by version."""

TO_BLENDER = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
)


class Stage:
    """The add-on's rig room, and what Blender makes of its keys."""

    def __init__(self, addon: str) -> None:
        self.addon = addon
        self.armature = importlib.import_module(f"{addon}.rig.armature")
        self.detect = importlib.import_module(f"{addon}.rig.detect")
        self.solver = importlib.import_module(f"{addon}.rig.solve")
        self.body = importlib.import_module(f"{addon}.rig.body")
        self.timeline = importlib.import_module(f"{addon}.timeline")
        self.shared = importlib.import_module(f"{addon}.shared")

    def animate(self, rig: Rna, motion: Rna, fps: float | None = None) -> Rna:
        """Puts the motion on the rig, first key at frame 1, and returns the bone map."""
        bpy.context.view_layer.update()
        rest = self.armature.read_rest_pose(rig)
        bone_map = self.detect.map_bones(rest)
        channels = self.solver.solve(rest, bone_map, motion, fps=fps)
        self.timeline.write_action(rig, channels, "take", 1.0)
        return bone_map

    def evaluated(self, rig: Rna, bones: dict[str, str], frames: int) -> dict[str, Array]:
        """Pose matrices (T, 4, 4) in the world, by joint."""
        found: dict[str, list[Array]] = {joint: [] for joint in bones}
        for frame in range(frames):
            bpy.context.scene.frame_set(1 + frame)
            for joint, bone in bones.items():
                found[joint].append(np.array(rig.matrix_world @ rig.pose.bones[bone].matrix))
        return {joint: np.array(matrices) for joint, matrices in found.items()}

    def direction_error(self, poses: dict[str, Array], motion: Rna, facing: Array | None = None) -> Array:
        """Angles (T, limb bones), degrees, between the limbs' bones and the motion's, in the world."""
        to_world = TO_BLENDER if facing is None else facing
        errors = []
        for start, end in LIMBS:
            bone = poses[end][:, :3, 3] - poses[start][:, :3, 3]
            index = self.shared.skeleton.INDEX
            wanted = (motion.positions[:, index[end]] - motion.positions[:, index[start]]).astype(float) @ to_world.T
            across = np.linalg.norm(np.cross(bone, wanted), axis=1)
            errors.append(np.degrees(np.arctan2(across, np.sum(bone * wanted, axis=1))))
        return np.stack(errors, axis=1)

    def steps(self, rotations: Array) -> Array:
        """Angles (T - 1, ...) between neighbouring frames of matrices (T, ..., 3, 3), degrees."""
        quat = self.shared.quaternions
        unit = rotations / np.linalg.norm(rotations, axis=-2, keepdims=True)
        q = quat.from_matrix(unit)
        return np.degrees(quat.angle(quat.multiply(quat.conjugate(q[1:]), q[:-1])))


class editing:  # noqa: N801 (reads as a verb)
    """The edit bones of an armature, in edit mode."""

    def __init__(self, rig: Rna) -> None:
        self.rig = rig

    def __enter__(self) -> Rna:
        bpy.context.view_layer.objects.active = self.rig
        bpy.ops.object.mode_set(mode="EDIT")
        return self.rig.data.edit_bones

    def __exit__(self, *_: object) -> None:
        bpy.ops.object.mode_set(mode="OBJECT")


def curves(action: Rna) -> list[Any]:
    return [
        curve for layer in action.layers for strip in layer.strips for bag in strip.channelbags for curve in bag.fcurves
    ]
