# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of retargeting change the keys as they say, and not what is seen where they only move it elsewhere."""

from __future__ import annotations

import importlib

import bpy
import numpy as np
import pytest
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
