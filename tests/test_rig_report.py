# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py rig-report on files of every kind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.motion.rotations import forward_kinematics
from backend.motion.skeleton import INDEX, JOINTS, rest_positions
from tools.environments import BLENDERS, ensure

ROOT = Path(__file__).parents[1]
RIGS = ROOT.parent / "shared" / "data" / "rigs"

shared_rigs = pytest.mark.skipif(not RIGS.exists(), reason="the shared rigs are not beside the repository")

# A character with Mixamo's names that stands beside a second, smaller armature and has an action of its own.
MAKE = """
import os, sys
import bpy
from remodiffuse_blender.rig.armature import build_skeleton
sys.path.append("tests/rig")
from figures import MIXAMO

bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
hero = build_skeleton("Hero")
for joint, name in MIXAMO.items():
    hero.data.bones[joint].name = f"mixamorig:{name}"
hero.pose.bones["mixamorig:Head"].keyframe_insert("location", frame=1)
hero.pose.bones["mixamorig:Spine"].rotation_quaternion = (0.9, 0.1, 0.3, 0.2)
prop = bpy.data.objects.new("Prop", bpy.data.armatures.new("Prop"))
bpy.context.scene.collection.objects.link(prop)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1] + "/hero.blend")
bpy.data.objects.remove(prop)
bpy.ops.export_scene.fbx(filepath=sys.argv[1] + "/hero.fbx", add_leaf_bones=False)
bpy.ops.export_scene.gltf(filepath=sys.argv[1] + "/hero.glb")
bpy.data.objects.remove(hero)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1] + "/empty.blend")
sys.stdout.flush()
os._exit(0)
"""


def _report(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "build.py"), "rig-report", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one character as .blend, .fbx and .glb, and a take."""
    folder = tmp_path_factory.mktemp("rigs")
    words = [str(ensure(BLENDERS["4.5"])), "-c", MAKE, str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    _waving(folder / "take.npz")
    return folder


def _waving(path: Path) -> Path:
    """A take of a person who stands and waves with the left arm."""
    rotations = np.zeros((20, 22, 4), np.float32)
    rotations[..., 0] = 1.0
    angle = 0.5 * np.sin(np.linspace(0.0, 6.0, 20)) / 2.0
    rotations[:, INDEX["left_shoulder"]] = np.stack((np.cos(angle), 0 * angle, 0 * angle, np.sin(angle)), axis=1)
    root = np.tile(rest_positions()[JOINTS.index("pelvis")], (20, 1))
    positions = forward_kinematics(rotations, root)
    contacts = np.ones((1, 20, 4))
    np.savez(path, positions=positions[None], rotations=rotations[None], root=root[None], contacts=contacts, fps=20.0)
    return path


def _read(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return json.loads(done.stdout)


def test_a_character_is_the_same_in_every_kind_of_file(made: Path) -> None:
    files = [made / f"hero.{suffix}" for suffix in ("blend", "fbx", "glb")]
    done = _report(*files, "--motion", made / "take.npz", "--json")
    assert done.returncode == 0, done.stderr
    reports = _read(done)
    assert [Path(report["file"]).name for report in reports] == ["hero.blend", "hero.fbx", "hero.glb"]
    for report in reports:
        assert report["family"] == "mixamo"
        assert report["confidence"] > 0.9
        assert report["map"]["left_knee"] == "mixamorig:LeftLeg"
        assert len(report["map"]) == 22
        assert report["missing"] == []
        errors = report["errors"]
        assert errors["direction_mean_degrees"] < 0.5
        assert errors["joints_mean_percent"] < 1.0
        assert errors["foot_slide_mean_cm_s"] < 1.0
        assert errors["knees_backwards_frames"] == 0
        assert 1.0 < errors["source_step_max_degrees"] < 30.0
        assert errors["step_max_degrees"] == pytest.approx(errors["source_step_max_degrees"], abs=0.5)


@shared_rigs
def test_rigs_are_told_apart_and_measured(made: Path) -> None:
    files = [RIGS / "rigify" / "rigify_control.json", RIGS / "smpl" / "t2m22_template.bvh"]
    done = _report(*files, "--motion", made / "take.npz", "--limbs", "IK")
    assert done.returncode == 0, done.stderr
    control, skeleton = done.stdout.split("\n\n")
    assert "rigify_control, confidence 100%" in control
    assert "thigh_fk.L" in control
    assert "Head" in skeleton
    for report in (control, skeleton):
        mean = next(line for line in report.splitlines() if "Limbs off by, mean" in line)
        assert 0.0 <= float(mean.split()[-1]) < 2.0


@shared_rigs
def test_what_is_no_person_is_said_and_fails() -> None:
    done = _report(RIGS / "openpose" / "mpfb_openpose.json")
    assert done.returncode == 1
    assert "missing for head" in done.stdout


def test_files_that_cannot_be_read_do_not_keep_others_from_being_reported(made: Path) -> None:
    (made / "torn.fbx").write_bytes(b"Kaydara FBX Binary")
    (made / "lonely.json").write_text("{}")
    names = ("torn.fbx", "empty.blend", "lonely.json", "hero.blend")
    done = _report(*(made / name for name in names), "--json")
    assert done.returncode == 1
    torn, empty, lonely, hero = _read(done)
    assert "cannot be read" in torn["problem"]
    assert "no armature in empty.blend" in empty["problem"]
    assert "no build_rig.py" in lonely["problem"]
    assert "problem" not in hero
    assert hero["errors"] == {}
    assert _report(made / "nowhere.blend").returncode == 1
