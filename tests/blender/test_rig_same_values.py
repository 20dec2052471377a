# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender 4.5 and 5.0 give the same keys, poses and errors: both are held against the same recorded numbers.

`REMODIFFUSE_RECORD=1 python3 build.py test --only 4.5 -k same_values` records them anew, after the maths has changed.
"""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from motions import walk
from rig_stage import Rna, Stage, curves
from test_rig_families import RIGS, TRUTH, load
from test_rig_skeleton import _a_pose, _any_roll, _inherit_no_rotation, _more_bones, _turn_and_scale

if TYPE_CHECKING:
    from collections.abc import Callable

RECORD = Path(__file__).parent / "recorded_values.json"
NEAR = 5e-6
"""Half of what two Blenders may be apart."""
ODD = {
    "plain": lambda rig: None,
    "turned and scaled": _turn_and_scale,
    "any roll": _any_roll,
    "no inherited rotation": _inherit_no_rotation,
    "A-pose": _a_pose,
    "more bones": _more_bones,
}
REAL = ("rigify_control", "m2m_control", "mpfb_default", "kaykit_knight", "vrchat_blockman", "smpl24")


@pytest.fixture
def stage(addon: str) -> Stage:
    return Stage(addon)


def compared(name: str, values: list[float]) -> None:
    """The values are those that were recorded, or are recorded now."""
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    if os.environ.get("REMODIFFUSE_RECORD"):
        known[name] = [round(value, 7) for value in values]
        lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(known[key])}" for key in sorted(known))
        RECORD.write_text(f"{{\n{lines}\n}}\n")
        return
    np.testing.assert_allclose(values, known[name], rtol=0.0, atol=NEAR)


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "XYZ", "ZYX"])
@pytest.mark.parametrize("odd", ODD)
def test_keys_and_poses_have_the_same_values(stage: Stage, odd: str, mode: str) -> None:
    change: Callable[[Rna], None] = ODD[odd]
    rig = stage.armature.build_skeleton()
    change(rig)
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    bone_map = stage.animate(rig, walk(stage.addon, frames=12))
    every = {
        (curve.data_path, curve.array_index): [point.co[1] for point in curve.keyframe_points]
        for curve in curves(rig.animation_data.action)
    }
    keys = np.array([every[key] for key in sorted(every)])
    bpy.context.scene.frame_set(7)
    heads = np.array([rig.pose.bones[bone].matrix.translation for bone in bone_map.bones.values()])
    # Each key counts; a few sums stand for all of them, so that the record stays short.
    weights = np.cos(np.arange(keys.size)).reshape(keys.shape)
    sums = [*(keys * weights).mean(axis=1)[::7], *keys.mean(axis=0), *heads[::3].ravel()]
    compared(f"{odd}, {mode}", [float(each) for each in sums])


@pytest.mark.skipif(not RIGS.exists(), reason="the shared rigs are not beside the repository")
@pytest.mark.parametrize("name", REAL)
def test_errors_on_real_rigs_have_the_same_values(stage: Stage, name: str) -> None:
    rig_report = importlib.import_module(f"{stage.addon}.rig_report")
    rig = load(TRUTH[name].file)
    found = stage.detect.map_bones(stage.armature.read_rest_pose(rig))
    errors = rig_report.make(bpy.context, rig, found, walk(stage.addon, frames=20)).errors
    # Degrees, centimetres and percents: a hundredth of each is a key's value, roughly.
    compared(f"errors of {name}", [value / 100.0 for value in errors.values()])
