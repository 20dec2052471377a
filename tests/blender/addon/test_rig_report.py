# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar's Rig Report: of a take, of an action, of a rig that is none; and nothing of the file changes."""

from __future__ import annotations

import importlib

import bpy
import numpy as np
import pytest
from scenes import Rna, arrive, context, dump, ops

motions = pytest.importorskip("motions")


@pytest.fixture
def rig_report(addon: str) -> Rna:
    return importlib.import_module(f"{addon}.rig_report")


@pytest.fixture
def listed(addon: str, armature: Rna) -> Rna:
    """The armature, with a walk in the list of takes that plays on it."""
    shared = importlib.import_module(f"{addon}.shared")
    provenance = shared.Provenance("a walk", 3.0, 1, "made by rule", "", "CC0-1.0", {}, ())
    arrive(addon, shared.Take(motions.walk(addon), provenance), armature)
    return armature


def report(rig_report: Rna) -> Rna:
    """Presses the button and checks that it changes nothing."""
    context.view_layer.update()
    before = dump()
    assert ops.remodiffuse.report_rig() == {"FINISHED"}
    context.view_layer.update()
    assert dump() == before
    return rig_report.remembered(context.active_object)


def test_a_rig_alone_is_described(rig_report: Rna, armature: Rna) -> None:
    assert rig_report.remembered(armature) is None
    made = report(rig_report)
    assert (made.problem, made.measured, made.errors) == ("", "", {})
    told = made.to_json()
    assert told["map"]["head"] == "head"
    assert (told["missing"], told["remarks"]) == ([], [])
    assert told["confidence"] > 0.5


def test_the_active_take_is_measured_also_while_it_is_shown(rig_report: Rna, listed: Rna) -> None:
    assert context.scene.remodiffuse.review.preview is not None
    context.scene.frame_set(17)
    listed.pose.bones["head"].scale = (1.5, 1.0, 1.0)  # without a key
    listed.location = (1.0, 2.0, 3.0)
    made = report(rig_report)
    assert made.measured == "a walk #1"
    assert made.errors["direction_mean_degrees"] < 0.1
    assert made.errors["joints_mean_percent"] < 0.1
    assert made.errors["knees_backwards_frames"] == 0
    assert made.errors["foot_slide_mean_cm_s"] < 2.0
    assert made.errors["travel_percent"] == pytest.approx(100.0, abs=3.0)
    assert listed.pose.bones["head"].scale[0] == 1.5


def test_the_settings_of_the_armature_are_measured(rig_report: Rna, listed: Rna) -> None:
    listed.remodiffuse_retarget.stride = 0.5
    assert report(rig_report).errors["travel_percent"] == pytest.approx(50.0, abs=2.0)
    listed.remodiffuse_retarget.stride = 1.0
    listed.remodiffuse_retarget.travel = "OBJECT"
    assert report(rig_report).errors["step_max_degrees"] > 1.0


def test_an_action_of_any_origin_is_looked_at(rig_report: Rna, armature: Rna) -> None:
    knee, hips = (armature.pose.bones[name] for name in ("left_knee", "pelvis"))
    for frame, angle in ((1, 0.0), (11, -0.9), (12, 0.9), (24, 0.0)):
        knee.rotation_mode = "XYZ"
        knee.rotation_euler = (angle, 0.0, 0.0)
        knee.keyframe_insert("rotation_euler", frame=frame)
    hips.keyframe_insert("location", frame=1)
    made = report(rig_report)
    assert made.measured == armature.animation_data.action.name
    assert made.errors["knees_backwards_frames"] > 5
    assert made.errors["step_max_degrees"] > 60.0
    assert "direction_mean_degrees" not in made.errors


def test_what_cannot_be_animated_is_said(rig_report: Rna, armature: Rna) -> None:
    ops.object.mode_set(mode="EDIT")
    for bone in ("head", "neck"):
        armature.data.edit_bones.remove(armature.data.edit_bones[bone])
    ops.object.mode_set(mode="OBJECT")
    made = report(rig_report)
    assert "head" in made.problem
    head = next(one for one in made.to_json()["missing"] if one["joint"] == "head")
    assert head["remedy"]


def test_an_edited_map_makes_the_old_report_vanish(rig_report: Rna, armature: Rna) -> None:
    assert report(rig_report) is not None
    armature.remodiffuse_bones.mirror = False
    armature.remodiffuse_bones.left_wrist = ""
    assert rig_report.remembered(armature) is None
    assert "left_wrist" not in report(rig_report).to_json()["map"]


def test_the_panel_shows_every_number_that_there_may_be(addon: str, rig_report: Rna, listed: Rna) -> None:
    titles = importlib.import_module(f"{addon}.rig.errors").TITLES
    made = report(rig_report)
    assert set(made.errors) == set(titles)
    assert all(np.isfinite(value) for value in made.errors.values())
    translated = importlib.import_module(f"{addon}.translations").MESSAGES
    assert set(titles.values()) <= set(translated)
    assert hasattr(bpy.types, "REMODIFFUSE_PT_bone_map")
