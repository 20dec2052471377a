# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion on the plain skeleton and on odd relatives of it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from motions import walk
from rig_stage import TO_BLENDER, Rna, Stage, curves, editing

if TYPE_CHECKING:
    from collections.abc import Callable

MODES = ("QUATERNION", "AXIS_ANGLE", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")


@pytest.fixture
def stage(addon: str) -> Stage:
    return Stage(addon)


def test_the_plain_skeleton_takes_the_motion_exactly(stage: Stage) -> None:
    rig = stage.armature.build_skeleton()
    motion = walk(stage.addon)
    bone_map = stage.animate(rig, motion)
    assert bone_map.missing == []
    poses = stage.evaluated(rig, bone_map.bones, motion.frames)
    turns = stage.shared.rotations.world_rotations(motion.rotations)
    quat = stage.shared.quaternions
    for joint, matrices in poses.items():
        rest = np.array(rig.data.bones[joint].matrix_local)[:3, :3]
        wanted = TO_BLENDER @ quat.to_matrix(turns[:, stage.shared.skeleton.INDEX[joint]]) @ TO_BLENDER.T @ rest
        error = quat.multiply(quat.conjugate(quat.from_matrix(matrices[:, :3, :3])), quat.from_matrix(wanted))
        assert np.degrees(quat.angle(error)).max() < 0.1, joint
        place = motion.positions[:, stage.shared.skeleton.INDEX[joint]].astype(float) @ TO_BLENDER.T
        np.testing.assert_allclose(matrices[:, :3, 3], place, atol=2e-4)


@pytest.mark.parametrize("mode", MODES)
def test_every_rotation_mode_gives_the_same_pose(stage: Stage, mode: str) -> None:
    rig = stage.armature.build_skeleton()
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    motion = walk(stage.addon)
    bone_map = stage.animate(rig, motion)
    assert all(bone.rotation_mode == mode for bone in rig.pose.bones)
    assert stage.direction_error(stage.evaluated(rig, bone_map.bones, motion.frames), motion).max() < 0.1
    for curve in curves(rig.animation_data.action):
        if "rotation_euler" in curve.data_path or "quaternion" in curve.data_path:
            values = np.array([point.co[1] for point in curve.keyframe_points])
            assert np.abs(np.diff(values)).max() < 1.5, f"{curve.data_path} jumps"


def _turn_and_scale(rig: Rna) -> None:
    rig.scale = (0.01, 0.01, 0.01)
    rig.rotation_euler = (0.5, -0.3, 2.0)
    rig.location = (3.0, 1.0, -2.0)


def _any_roll(rig: Rna) -> None:
    with editing(rig) as bones:
        for number, bone in enumerate(bones):
            bone.roll = 1.7 * number


def _inherit_no_rotation(rig: Rna) -> None:
    for name in ("left_elbow", "right_knee", "neck", "spine2"):
        rig.data.bones[name].use_inherit_rotation = False


def _a_pose(rig: Rna) -> None:
    """Arms lowered by 45 degrees with elbows bent by 20, legs apart by 8; bone lengths and flat feet stay."""
    with editing(rig) as bones:
        for side, sign in (("left", 1.0), ("right", -1.0)):
            down, forward = (
                Matrix.Rotation(np.radians(45.0) * sign, 3, "Y"),
                Matrix.Rotation(np.radians(-20.0) * sign, 3, "Z"),
            )
            apart = Matrix.Rotation(np.radians(-8.0) * sign, 3, "Y")
            chain = (("elbow", "shoulder", down), ("wrist", "elbow", down @ forward), ("knee", "hip", apart))
            chain = (*chain, ("ankle", "knee", apart), ("foot", "ankle", Matrix.Identity(3)))
            steps = [bones[f"{side}_{end}"].head - bones[f"{side}_{start}"].head for end, start, _ in chain]
            for (end, start, turn), step in zip(chain, steps, strict=True):
                bone = bones[f"{side}_{end}"]
                length = bone.tail - bone.head
                bone.head = bones[f"{side}_{start}"].head + turn @ step
                bone.tail = bone.head + length


def _more_bones(rig: Rna) -> None:
    """A root on the floor, a spine of six, a helper before the thigh, twist bones beside and within the arm."""
    with editing(rig) as bones:
        root = bones.new("root")
        root.head, root.tail = (0.0, 0.0, 0.0), (0.0, 0.3, 0.0)
        bones["pelvis"].parent = root
        for name, child in (("spine1", "spine2"), ("spine2", "spine3"), ("spine3", None)):
            extra = bones.new(f"{name}_upper")
            end = bones["neck"].head if child is None else bones[child].head
            extra.head = (bones[name].head + end) / 2.0
            extra.tail = end
            extra.parent = bones[name]
            for other in (child,) if child else ("neck", "left_collar", "right_collar"):
                bones[other].parent = extra
        helper = bones.new("left_hip_helper")
        helper.head, helper.tail = bones["pelvis"].head, bones["left_hip"].head
        helper.parent = bones["pelvis"]
        bones["left_hip"].parent = helper
        twist = bones.new("left_shoulder_twist")
        twist.head = (bones["left_shoulder"].head + bones["left_elbow"].head) / 2.0
        twist.tail = bones["left_elbow"].head
        twist.parent = bones["left_shoulder"]
        bones["left_elbow"].parent = twist


@pytest.mark.parametrize("change", [_turn_and_scale, _any_roll, _inherit_no_rotation, _a_pose, _more_bones])
def test_odd_skeletons_take_the_motion(stage: Stage, change: Callable[[Rna], None]) -> None:
    rig = stage.armature.build_skeleton()
    change(rig)
    motion = walk(stage.addon)
    bone_map = stage.animate(rig, motion)
    poses = stage.evaluated(rig, bone_map.bones, motion.frames)
    turned = np.array(rig.matrix_world)[:3, :3]
    turned = turned / np.linalg.norm(turned, axis=0)
    to_world = turned @ TO_BLENDER
    assert stage.direction_error(poses, motion, to_world).max() < 0.5


def _on_its_toes(rig: Rna, *, hock: bool) -> None:
    """Legs of a faun: knees in front, heels high behind, on the toes; with `hock` the heel is a bone of its own between
    shin and foot.
    """
    with editing(rig) as bones:
        for side in ("left", "right"):
            hip, knee, ankle, foot = (bones[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle", "foot"))
            x = hip.head.x
            knee.head, heel, ball = (x, -0.16, 0.56), (x, 0.16, 0.3), (x, 0.0, 0.03)
            hip.tail, knee.tail = knee.head, heel
            if hock:
                extra = bones.new(f"{side}_hock")
                extra.head, extra.tail, extra.parent = heel, (x, 0.02, 0.09), knee
                ankle.parent = extra
                ankle.head, ankle.tail = (x, 0.02, 0.09), (x, -0.08, 0.03)
                foot.head, foot.tail = (x, -0.08, 0.03), (x, -0.15, 0.03)
            else:
                ankle.head, ankle.tail = heel, ball
                foot.head, foot.tail = ball, (x, -0.1, 0.03)


@pytest.mark.parametrize("hock", [False, True])
def test_a_figure_on_its_toes_walks_on_them(stage: Stage, hock: bool) -> None:
    rig = stage.armature.build_skeleton()
    _on_its_toes(rig, hock=hock)
    motion = walk(stage.addon)
    report = importlib.import_module(f"{stage.addon}.rig_report")
    found = stage.detect.map_bones(stage.armature.read_rest_pose(rig))
    assert found.bones == {joint: joint for joint in found.bones}
    errors = report.make(bpy.context, rig, found, motion).errors
    assert errors["knees_backwards_frames"] == 0
    assert errors["foot_slide_mean_cm_s"] < 2.0
    assert errors["foot_height_max_cm"] < 2.0
    assert abs(errors["travel_percent"] - 100.0) < 3.0
    assert errors["direction_mean_degrees"] < 2.0


def _uneven(rig: Rna) -> None:
    rig.scale = (0.8, 1.1, 1.3)


def _under_an_uneven_parent(rig: Rna) -> None:
    parent = bpy.data.objects.new("Stretched", None)
    bpy.context.collection.objects.link(parent)
    parent.scale, rig.parent = (1.2, 0.7, 1.1), parent
    rig.rotation_euler = (0.0, 0.0, 0.6)


@pytest.mark.parametrize("change", [_uneven, _under_an_uneven_parent])
def test_what_is_stretched_shows_the_motion_stretched(stage: Stage, change: Callable[[Rna], None]) -> None:
    """As it does with any animation: exact in armature space. In the world feet still stand on the floor, and still."""
    rig = stage.armature.build_skeleton()
    change(rig)
    motion = walk(stage.addon)
    bone_map = stage.animate(rig, motion)
    poses = stage.evaluated(rig, bone_map.bones, motion.frames)
    flat = np.linalg.inv(np.array(rig.matrix_world))
    assert stage.direction_error({joint: flat @ pose for joint, pose in poses.items()}, motion).max() < 0.5
    for channel, joint in ((1, "left_foot"), (3, "right_foot")):
        held = motion.contacts[:, channel] > 0.6
        place = poses[joint][:, :3, 3]
        assert np.abs(place[held, 2] - stage.shared.skeleton.TOE_HEIGHT * rig.matrix_world[2][2]).max() < 0.005
        steps = np.linalg.norm(np.diff(place[:, :2], axis=0), axis=1)[held[1:] & held[:-1]]
        assert steps.max() * motion.fps < 0.02


def test_keys_follow_the_frame_rate_of_the_scene(stage: Stage) -> None:
    motion = walk(stage.addon, frames=41)  # two seconds
    rig = stage.armature.build_skeleton()
    stage.animate(rig, motion, fps=24.0)
    action = rig.animation_data.action
    assert tuple(action.frame_range) == (1.0, 49.0)
    bpy.context.scene.frame_set(49)
    end = np.array(rig.pose.bones["pelvis"].matrix)[:3, 3]
    np.testing.assert_allclose(end, motion.root[-1][[0, 2, 1]] * [1, -1, 1], atol=1e-3)


def test_what_is_no_person_is_refused(stage: Stage) -> None:
    data = bpy.data.armatures.new("Chain")
    rig = bpy.data.objects.new("Chain", data)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    with editing(rig) as bones:
        above = None
        for number in range(8):
            bone = bones.new(f"Tail.{number:03}")
            bone.head, bone.tail, bone.parent = (0, 0, number), (0, 0, number + 1), above
            above = bone
    with pytest.raises(stage.shared.BackendError) as caught:
        stage.detect.map_bones(stage.armature.read_rest_pose(rig))
    assert caught.value.code == "no_humanoid"
    assert caught.value.remedy
