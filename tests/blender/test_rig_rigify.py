# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion on Rigify's human, metarig and generated control rig, measured on the bones that deform."""

from __future__ import annotations

import importlib
import os
import time
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from motions import CMU, real_clip, walk
from rig_stage import Array, Rna, Stage, curves
from scenes import dump, ops

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stage(addon: str) -> Stage:
    return Stage(addon)


@pytest.fixture(scope="session")
def control_rig_file(addon: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with Rigify's human metarig and the control rig generated from it."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.preferences.addon_enable(module="rigify")
    ops.object.armature_human_metarig_add()
    ops.pose.rigify_generate()
    path = tmp_path_factory.mktemp("rigify") / "rigify.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


@pytest.fixture
def rigify(control_rig_file: Path) -> dict[str, Rna]:
    """Metarig and control rig in a fresh file."""
    bpy.ops.wm.open_mainfile(filepath=str(control_rig_file))
    scene: Rna = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 20, 1.0
    return {"control" if "torso" in each.data.bones else "meta": each for each in _armatures()}


@pytest.mark.parametrize("kind", ["meta", "control"])
def test_rigify_follows_the_motion(stage: Stage, rigify: dict[str, Rna], kind: str) -> None:
    rig = rigify[kind]
    motion = walk(stage.addon)
    bone_map = stage.animate(rig, motion)
    assert bone_map.family == f"rigify_{kind}"
    poses = stage.evaluated(rig, _deforming(rig, kind, bone_map), motion.frames)
    _limbs_are_right(stage, poses, motion)
    _stands_and_travels(stage, rig, poses, motion)
    # Nothing turns faster than in the motion itself, up to the little that its proportions need.
    source = stage.shared.quaternions.to_matrix(stage.shared.rotations.world_rotations(motion.rotations))
    limit = max(30.0, float(stage.steps(source).max()) + 3.0)
    assert max(stage.steps(matrices[:, :3, :3]).max() for matrices in poses.values()) < limit


@pytest.mark.skipif(not CMU.exists(), reason="the shared motion data is not beside the repository")
@pytest.mark.parametrize("clip", ["16_31", "13_11", "01_01"])
def test_rigify_follows_real_motion(stage: Stage, rigify: dict[str, Rna], clip: str) -> None:
    motion = real_clip(stage.addon, clip)
    bone_map = stage.animate(rigify["control"], motion)
    poses = stage.evaluated(rigify["control"], _deforming(rigify["control"], "control", bone_map), motion.frames)
    _limbs_are_right(stage, poses, motion)
    _stands_and_travels(stage, rigify["control"], poses, motion)
    source = stage.shared.quaternions.to_matrix(stage.shared.rotations.world_rotations(motion.rotations))
    limit = max(30.0, float(stage.steps(source).max()) + 3.0)
    assert max(stage.steps(matrices[:, :3, :3]).max() for matrices in poses.values()) < limit


@pytest.mark.parametrize("yaw", np.arange(0, 360, 45).tolist())
def test_facing_changes_nothing_but_the_facing(stage: Stage, rigify: dict[str, Rna], yaw: int) -> None:
    motion = walk(stage.addon, frames=30, yaw=float(np.radians(yaw)))
    bone_map = stage.animate(rigify["meta"], motion)
    poses = stage.evaluated(rigify["meta"], bone_map.bones, motion.frames)
    _limbs_are_right(stage, poses, motion)


def test_solving_and_keying_a_whole_control_rig_is_quick(stage: Stage, rigify: dict[str, Rna]) -> None:
    """By this process's own time, so that a busy machine makes no difference."""
    rig = rigify["control"]
    motion = walk(stage.addon, frames=196)
    bone_map = stage.detect.map_bones(stage.armature.read_rest_pose(rig))
    assert len(rig.data.bones) >= 700
    channels = None
    took, mine = [], []
    for _ in range(11):
        start, own = time.perf_counter(), time.thread_time()
        channels = stage.solver.solve(stage.armature.read_rest_pose(rig), bone_map, motion, fps=20.0)
        stage.timeline.write_action(rig, channels, "take", 1.0)
        took.append(time.perf_counter() - start)
        mine.append(time.thread_time() - own)
    quick = float(np.median(took[1:]))
    assert channels is not None
    every_frame, every_bone = (
        motion.frames * _seconds_of_inserting(rig, channels, frames, update_each_bone=update_each_bone)
        for frames, update_each_bone in ((4, False), (1, True))
    )
    print(f"solve + keys {1e3 * quick:.0f} ms, keyframe_insert {1e3 * every_frame:.0f}, {1e3 * every_bone:.0f} ms")  # noqa: T201
    assert float(np.median(mine[1:])) < 0.150 * float(os.environ.get("REMODIFFUSE_SLOWER", "1"))
    assert every_frame > 25.0 * quick  # about a hundred; others have the machine as well
    assert every_bone > 50.0 * quick


def _seconds_of_inserting(rig: Rna, channels: Rna, frames: int, *, update_each_bone: bool) -> float:
    """For one frame of posing and keying, with an update of the view layer after each frame, or after each bone too.

    A pose that nobody changed would not be evaluated anew: the updates would cost nothing.
    """
    start = time.perf_counter()
    for frame in range(frames):
        for channel in channels.channels:
            if not channel.path.startswith("["):
                bone = rig.pose.bones[channel.bone]
                setattr(bone, channel.path, channel.values[min(frame, len(channel.values) - 1)].tolist())
                if update_each_bone:
                    bpy.context.view_layer.update()
                bone.keyframe_insert(channel.path, frame=500 + frame)
        bpy.context.view_layer.update()
    return (time.perf_counter() - start) / frames


def test_only_the_action_is_new(stage: Stage, rigify: dict[str, Rna]) -> None:
    rig = rigify["control"]
    before = dump()
    constraints = _constraints(rig)
    stage.animate(rig, walk(stage.addon))
    assert _constraints(rig) == constraints
    after = dump()
    assert after["scenes"] == before["scenes"]
    assert [bone[0] for bone in after["objects"][rig.name]["pose"].values()] == [
        bone[0] for bone in before["objects"][rig.name]["pose"].values()
    ]
    touched = {curve.data_path.split('"')[1] for curve in curves(rig.animation_data.action)}
    assert touched < set(rig.pose.bones.keys())
    assert len(touched) < 40


@pytest.mark.parametrize("source", ["walk", "16_31"])
def test_the_controls_of_inverse_kinematics_follow_as_well(stage: Stage, rigify: dict[str, Rna], source: str) -> None:
    rig = rigify["control"]
    if source != "walk" and not CMU.exists():
        pytest.skip("the shared motion data is not beside the repository")
    motion = walk(stage.addon) if source == "walk" else real_clip(stage.addon, source, frames=60)
    rig.remodiffuse_retarget.limbs = "IK"
    target = importlib.import_module(f"{stage.addon}.target")
    stage.timeline.write_action(rig, target.solve_motion(rig, motion, 20.0), "take", 1.0)
    keyed = {curve.data_path.split('"')[1] for curve in curves(rig.animation_data.action)}
    for side in ("L", "R"):
        controls = {f"{name}.{side}" for name in ("hand_ik", "foot_ik", "upper_arm_ik_target", "thigh_ik_target")}
        assert controls <= keyed
        assert not {f"{name}.{side}" for name in ("upper_arm_fk", "forearm_fk", "thigh_fk", "shin_fk")} & keyed
    bone_map = target.bone_map(rig)
    poses = stage.evaluated(rig, _deforming(rig, "control", bone_map), motion.frames)
    for side in ("L", "R"):
        for limb in ("upper_arm", "thigh"):
            assert rig.pose.bones[f"{limb}_parent.{side}"]["IK_FK"] == 0.0
    errors = stage.direction_error(poses, motion)
    assert errors.mean() < 1.0
    assert errors.max() < 10.0
    _stands_and_travels(stage, rig, poses, motion)
    source_turns = stage.shared.quaternions.to_matrix(stage.shared.rotations.world_rotations(motion.rotations))
    limit = max(30.0, float(stage.steps(source_turns).max()) + 5.0)
    assert max(stage.steps(matrices[:, :3, :3]).max() for matrices in poses.values()) < limit


def test_fingers_of_the_control_rig_close(stage: Stage, rigify: dict[str, Rna]) -> None:
    rig, reach = rigify["control"], {}
    target = importlib.import_module(f"{stage.addon}.target")
    for pose in ("FLAT", "RELAXED", "FIST"):
        rig.remodiffuse_retarget.fingers = pose
        stage.timeline.write_action(rig, target.solve_motion(rig, walk(stage.addon, frames=3), 20.0), pose, 1.0)
        bpy.context.scene.frame_set(2)
        for side in ("L", "R"):
            wrist = rig.pose.bones[f"DEF-hand.{side}"].head
            for finger in ("f_index", "f_middle", "f_ring", "f_pinky"):
                reach[pose, f"{finger}.{side}"] = (rig.pose.bones[f"DEF-{finger}.03.{side}"].tail - wrist).length
    for finger in {finger for _, finger in reach}:
        assert reach["FIST", finger] < 0.75 * reach["FLAT", finger], finger
        assert reach["FIST", finger] < reach["RELAXED", finger] < reach["FLAT", finger] + 1e-6, finger


def _armatures() -> list[Rna]:
    return [each for each in bpy.data.objects if each.type == "ARMATURE"]


def _constraints(rig: Rna) -> dict[str, list[tuple[str, float, bool]]]:
    return {bone.name: [(one.type, one.influence, one.mute) for one in bone.constraints] for bone in rig.pose.bones}


def _deforming(rig: Rna, kind: str, bone_map: Rna) -> dict[str, str]:
    """Joint -> the bone whose motion a viewer sees."""
    if kind == "meta":
        return bone_map.bones
    names = {
        "hip": "thigh",
        "knee": "shin",
        "ankle": "foot",
        "foot": "toe",
        "shoulder": "upper_arm",
        "elbow": "forearm",
    }
    names |= {"wrist": "hand", "collar": "shoulder"}
    found = {
        f"{side}_{joint}": f"DEF-{name}.{mark}"
        for joint, name in names.items()
        for side, mark in (("left", "L"), ("right", "R"))
    }
    found |= {"pelvis": "DEF-spine", "head": "DEF-spine.006"}
    assert all(bone in rig.pose.bones for bone in found.values())
    return found


def _limbs_are_right(stage: Stage, poses: dict[str, Array], motion: Rna) -> None:
    """Arms point where the motion's point; legs too, up to what it takes to stand with other proportions."""
    errors = stage.direction_error(poses, motion)
    assert errors[:, 2:4].max() < 0.5
    assert errors[:, 6:8].max() < 0.5
    assert errors.mean() < 2.0
    assert errors.max() < 15.0


def _stands_and_travels(stage: Stage, rig: Rna, poses: dict[str, Array], motion: Rna) -> None:
    """Hips go where the motion's go, scaled by leg length, and feet in contact stay on the floor."""
    rest = stage.armature.read_rest_pose(rig)
    scale = stage.body.measure(rest, stage.detect.map_bones(rest)).scale
    hips = (poses["left_hip"][:, :3, 3] + poses["right_hip"][:, :3, 3]) / 2.0
    index = stage.shared.skeleton.INDEX
    source = (motion.positions[:, index["left_hip"]] + motion.positions[:, index["right_hip"]]) / 2.0
    wanted = scale * (source - source[0])[:, [0, 2, 1]] * [1.0, -1.0, 1.0]
    off = np.abs(hips - hips[0] - wanted).max(axis=0)
    assert off[:2].max() < 0.01
    assert off[2] < 0.03  # lowered a little where a leg is too short for its foot
    for channel, joint in enumerate(("left_ankle", "left_foot", "right_ankle", "right_foot")):
        held = motion.contacts[:, channel] > 0.6
        at_rest = float(rest.heads[rest.index[_rest_bone(rig, joint)]][2])
        flat = float(stage.shared.skeleton.rest_positions()[index[joint], 1])
        above = scale * (motion.positions[:, index[joint], 1] - flat)
        assert np.abs(poses[joint][held, 2, 3] - at_rest - above[held]).max() < 0.03, joint
        if joint.endswith("foot"):
            assert np.abs(poses[joint][held, 2, 3] - at_rest).max() < 0.03, joint
        both = held[1:] & held[:-1]
        if both.any():
            speed = np.linalg.norm(np.diff(poses[joint][:, :2, 3], axis=0), axis=1)[both] * motion.fps
            assert speed.mean() < 0.03, joint


def _rest_bone(rig: Rna, joint: str) -> str:
    side = "L" if joint.startswith("left") else "R"
    name = "foot" if joint.endswith("ankle") else "toe"
    return f"DEF-{name}.{side}" if f"DEF-{name}.{side}" in rig.data.bones else f"{name}.{side}"
