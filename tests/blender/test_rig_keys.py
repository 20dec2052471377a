# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys: few ones within a tolerance, lines and curves, starts between frames, and the way taken out and put back."""

from __future__ import annotations

import importlib

import bpy
import numpy as np
import pytest
from motions import walk
from rig_stage import Array, Rna, Stage, curves
from scenes import ops


@pytest.fixture
def stage(addon: str) -> Stage:
    return Stage(addon)


@pytest.fixture
def keys(addon: str) -> Rna:
    return importlib.import_module(f"{addon}.rig.keys")


def poses(rig: Rna, frames: int, start: float = 1.0) -> Array:
    """Local transforms (T, bones, 4, 4) as Blender evaluates them."""
    found = []
    for frame in range(frames):
        whole, part = divmod(start + frame, 1.0)
        bpy.context.scene.frame_set(int(whole), subframe=part)
        found.append([np.array(bone.matrix_basis) for bone in rig.pose.bones])
    return np.array(found)


def turned(stage: Stage, one: Array, other: Array) -> Array:
    """Degrees between the rotations of two sets of transforms."""
    quat = stage.shared.quaternions
    first, second = (quat.from_matrix(each[..., :3, :3]) for each in (one, other))
    return np.degrees(quat.angle(quat.multiply(quat.conjugate(first), second)))


def key_count(rig: Rna) -> int:
    return sum(len(curve.keyframe_points) for curve in curves(rig.animation_data.action))


@pytest.mark.parametrize("interpolation", ["LINEAR", "BEZIER"])
@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ"])
def test_few_keys_stay_within_the_tolerance(stage: Stage, keys: Rna, interpolation: str, mode: str) -> None:
    target = importlib.import_module(f"{stage.addon}.target")
    rig: Rna = stage.armature.build_skeleton()
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    channels = target.solve_motion(rig, walk(stage.addon, frames=80), 20.0)
    stage.timeline.write_action(rig, channels, "every", 1.0)
    every, many = poses(rig, 80), key_count(rig)
    sparse = keys.Keying(keys.Interpolation(interpolation), 1.0, 0.01)
    stage.timeline.write_action(rig, channels, "few", 1.0, keying=sparse)
    few = poses(rig, 80)
    assert key_count(rig) < 0.5 * many
    assert turned(stage, every, few).max() < 1.0 + 0.01
    assert np.linalg.norm(every[..., :3, 3] - few[..., :3, 3], axis=-1).max() < 0.01 + 1e-4
    kinds = {point.interpolation for curve in curves(rig.animation_data.action) for point in curve.keyframe_points}
    assert kinds == {interpolation}


def test_curves_with_a_key_on_every_frame_pass_through_them(stage: Stage, keys: Rna) -> None:
    target = importlib.import_module(f"{stage.addon}.target")
    rig: Rna = stage.armature.build_skeleton()
    channels = target.solve_motion(rig, walk(stage.addon, frames=30), 20.0)
    stage.timeline.write_action(rig, channels, "lines", 1.0)
    lines = poses(rig, 30)
    stage.timeline.write_action(rig, channels, "curves", 1.0, keying=keys.Keying(keys.Interpolation.BEZIER))
    np.testing.assert_allclose(poses(rig, 30), lines, atol=1e-4)


@pytest.mark.parametrize("fps", [20.0, 24.0, 60.0])
@pytest.mark.parametrize("start", [5.25, 5.9])
def test_a_motion_may_start_between_two_frames(stage: Stage, fps: float, start: float) -> None:
    """Keys lie on whole frames; what plays is the motion, only later."""
    target = importlib.import_module(f"{stage.addon}.target")
    rig: Rna = stage.armature.build_skeleton()
    motion = walk(stage.addon, frames=40)
    stage.timeline.write_action(rig, target.solve_motion(rig, motion, 20.0), "whole", 1.0)
    channels = target.solve_motion(rig, motion, fps, phase=start % 1.0)
    stage.timeline.write_action(rig, channels, "between", start)
    action = rig.animation_data.action
    frames = {round(point.co[0], 4) for curve in curves(action) for point in curve.keyframe_points}
    assert frames <= set(range(5, 200))
    assert action.frame_start == pytest.approx(6.0)
    shown = poses(rig, len(channels.frames), 6.0)
    times = (np.arange(6.0, 6.0 + len(shown)) - start) * 20.0 / fps
    rig.animation_data.action = bpy.data.actions["whole"]
    rig.animation_data.action_slot = bpy.data.actions["whole"].slots[0]
    for pose, time in zip(shown, times, strict=True):
        wanted = poses(rig, 1, 1.0 + time)[0]
        assert turned(stage, pose, wanted).max() < 1.0
        assert np.abs(pose[:, :3, 3] - wanted[:, :3, 3]).max() < 0.01


@pytest.mark.parametrize("travel", ["HIPS", "OBJECT"])
@pytest.mark.parametrize("sparse", [False, True])
def test_the_way_is_taken_out_and_put_back(stage: Stage, keys: Rna, travel: str, sparse: bool) -> None:
    target, store = (importlib.import_module(f"{stage.addon}.{name}") for name in ("target", "travel"))
    rig: Rna = stage.armature.build_skeleton()
    rig.remodiffuse_retarget.travel = travel
    motion = walk(stage.addon, frames=60)

    def hips() -> Array:
        places = []
        for frame in range(1, 61):
            bpy.context.scene.frame_set(frame)
            places.append(np.array(rig.matrix_world @ rig.pose.bones["pelvis"].matrix)[:3, 3])
        return np.array(places)

    channels = target.solve_motion(rig, motion, 20.0)
    keying = keys.Keying(keys.Interpolation.BEZIER, 1.0) if sparse else keys.EVERY_FRAME
    action = stage.timeline.write_action(rig, channels, "walk", 1.0, keying=keying)
    store.keep(action, channels, 1.0)
    before = hips()
    assert np.linalg.norm(before[-1, :2] - before[0, :2]) > 2.0
    ops.remodiffuse.switch_travel()
    assert store.is_in_place(action)
    still = hips()
    assert np.abs(still[:, :2] - still[0, :2]).max() < 0.12
    np.testing.assert_allclose(still[:, 2], before[:, 2], atol=1e-4)
    ops.remodiffuse.switch_travel()
    np.testing.assert_allclose(hips(), before, atol=1e-4)

    bpy.context.scene.frame_set(1)
    inside = target.solve_motion(rig, motion, 20.0, in_place=True)
    other = stage.timeline.write_action(rig, inside, "in place", 1.0, keying=keying)
    store.keep(other, inside, 1.0)
    np.testing.assert_allclose(hips(), still, atol=0.02 if sparse else 1e-4)
    ops.remodiffuse.switch_travel()
    np.testing.assert_allclose(hips(), before, atol=0.02 if sparse else 1e-4)
