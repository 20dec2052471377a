# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of retargeting change the keys as they say, and not what is seen where they only move it elsewhere."""

from __future__ import annotations

import importlib
from itertools import pairwise

import bpy
import numpy as np
import pytest
from mathutils import Vector
from motions import walk
from rig_stage import Rna, Stage, curves, editing


@pytest.fixture
def stage(addon: str) -> Stage:
    return Stage(addon)


@pytest.mark.parametrize("travel", ["ROOT", "OBJECT"])
def test_whatever_carries_the_travel_the_body_goes_the_same_way(stage: Stage, travel: str) -> None:
    target = importlib.import_module(f"{stage.addon}.target")
    rig: Rna = stage.armature.build_skeleton()
    with editing(rig) as bones:
        root = bones.new("root")
        root.head, root.tail = (0.0, 0.0, 0.0), (0.0, 0.3, 0.0)
        bones["pelvis"].parent = root
    rig.location, rig.rotation_euler = (1.0, 2.0, 0.0), (0.0, 0.0, 0.7)
    bpy.context.view_layer.update()
    motion = walk(stage.addon, frames=40)
    seen = []
    for chosen in ("HIPS", travel):
        rig.remodiffuse_retarget.travel = chosen
        stage.timeline.write_action(rig, target.solve_motion(rig, motion, 20.0), chosen, 1.0)
        bpy.context.scene.render.fps = 20
        seen.append(stage.evaluated(rig, {"pelvis": "pelvis", "left_foot": "left_foot"}, motion.frames))
    for joint, before in seen[0].items():
        np.testing.assert_allclose(seen[1][joint], before, atol=1e-3)
    moved = {curve.data_path for curve in curves(rig.animation_data.action) if curve.data_path.endswith("location")}
    assert ('pose.bones["root"].location' if travel == "ROOT" else "location") in moved


def _slide_and_bend(stage: Stage, rig: Rna, motion: Rna, lock: float) -> tuple[float, float]:
    """How fast feet slide while they stand, cm/s, and how far legs are off their direction, degrees, on average."""
    rig_report, options = (importlib.import_module(f"{stage.addon}.{name}") for name in ("rig_report", "rig.options"))
    found = stage.detect.map_bones(stage.armature.read_rest_pose(rig))
    chosen = options.Options(foot_lock=lock)
    errors = rig_report.make(bpy.context, rig, found, motion, options=chosen).errors
    return errors["foot_slide_mean_cm_s"], errors["direction_mean_degrees"]


def test_the_strength_of_the_foot_lock_is_how_far_feet_are_held(stage: Stage) -> None:
    rig: Rna = stage.armature.build_skeleton()
    with editing(rig) as bones:  # wide hips and long shins, so that feet slide by themselves
        for side, sign in (("left", 1.0), ("right", -1.0)):
            for joint, aside, down in (
                ("hip", 0.12, 0.0),
                ("knee", 0.12, 0.0),
                ("ankle", 0.12, 0.08),
                ("foot", 0.12, 0.08),
            ):
                bone = bones[f"{side}_{joint}"]
                length = bone.tail - bone.head
                bone.head = bone.head + Vector((sign * aside, 0.0, -down))
                bone.tail = bone.head + length
    motion = walk(stage.addon, frames=60)
    slides, bends = zip(*(_slide_and_bend(stage, rig, motion, lock) for lock in (0.0, 0.25, 0.5, 1.0)), strict=True)
    assert bends[0] < 0.1  # without it the legs point exactly where the motion's do
    assert slides[0] > 4.0
    assert slides[3] < 1.0
    for less, more in pairwise(slides):
        assert more < less - 0.15 * slides[0]
    for less, more in pairwise(bends):
        assert more > less


@pytest.mark.parametrize("lock", [0.0, 0.5, 1.0])
def test_a_figure_like_the_motions_own_is_left_alone(stage: Stage, lock: float) -> None:
    """The lock is idempotent: feet that stand already stay where they are."""
    rig = stage.armature.build_skeleton()
    slide, bend = _slide_and_bend(stage, rig, walk(stage.addon, frames=40), lock)
    assert slide < 1.0
    assert bend < 0.1


def test_at_the_world_origin_it_starts_there(stage: Stage) -> None:
    target = importlib.import_module(f"{stage.addon}.target")
    rig: Rna = stage.armature.build_skeleton()
    rig.location, rig.rotation_euler = (1.0, 2.0, 0.0), (0.0, 0.0, 0.7)
    bpy.context.view_layer.update()
    rig.remodiffuse_retarget.start = "ORIGIN"
    motion = walk(stage.addon, frames=40)
    stage.timeline.write_action(rig, target.solve_motion(rig, motion, 20.0), "take", 1.0)
    pelvis = stage.evaluated(rig, {"pelvis": "pelvis"}, 40)["pelvis"][:, :3, 3]
    wanted = motion.positions[:, 0][:, [0, 2, 1]] * [1.0, -1.0, 1.0]
    np.testing.assert_allclose(pelvis[:, :2], wanted[:, :2], atol=1e-3)
