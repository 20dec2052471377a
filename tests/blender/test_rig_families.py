# SPDX-License-Identifier: GPL-3.0-or-later
"""Real rigs of many families: mapped right, and moved right. Their bone maps were made by people (truth.csv)."""

from __future__ import annotations

import csv
import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

import bpy
import numpy as np
import pytest
from motions import walk
from rig_stage import Array, Rna, Stage

RIGS = Path(__file__).parents[3] / "shared" / "data" / "rigs"

pytestmark = pytest.mark.skipif(not RIGS.exists(), reason="the shared rigs are not beside the repository")

# What lacks a head cannot be animated.
NOT_MOVED = ("mpfb_openpose",)


@dataclass
class Truth:
    """`bones` (joint -> bone, "" for none) and `also` (joint -> other bones that are not wrong)."""

    file: str
    bones: dict[str, str] = field(default_factory=dict)
    also: dict[str, set[str]] = field(default_factory=dict)


def _truth() -> dict[str, Truth]:
    rigs: dict[str, Truth] = {}
    if RIGS.exists():
        with (RIGS / "truth.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                rig = rigs.setdefault(row["rig"], Truth(row["file"]))
                rig.bones[row["canonical_joint"]] = row["bone"]
                rig.also[row["canonical_joint"]] = set(row["also_ok"].split("|")) - {""}
    # A second truth for the deform layer of a control rig is not what an animator keys.
    return {name: rig for name, rig in rigs.items() if "@" not in name}


TRUTH = _truth()


@pytest.fixture
def stage(addon: str) -> Stage:
    return Stage(addon)


def load(file: str) -> Rna:
    """The armature object of one of the shared rig files, without animation."""
    path = str(RIGS / file)
    if file.endswith(".json"):
        spec = importlib.util.spec_from_file_location("build_rig", RIGS / "build_rig.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.build(path)
    ops: Rna = bpy.ops
    if file.endswith(".glb"):
        ops.import_scene.gltf(filepath=path)
    else:
        bpy.ops.preferences.addon_enable(module="io_anim_bvh")
        ops.import_anim.bvh(filepath=path)
    rig: Rna = next(each for each in bpy.data.objects if each.type == "ARMATURE")
    rig.animation_data_clear()
    for bone in rig.pose.bones:
        bone.matrix_basis.identity()
    return rig


def test_nearly_all_joints_of_all_rigs_are_mapped_right(stage: Stage) -> None:
    right, wrong, swapped = 0, [], []
    for name, truth in TRUTH.items():
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        found = stage.detect.propose(stage.armature.read_rest_pose(load(truth.file))).bones
        for joint, bone in truth.bones.items():
            if found.get(joint, "") in {bone, *truth.also[joint]}:
                right += 1
            else:
                wrong.append((name, joint, found.get(joint), bone))
            other = joint.replace("left", "right") if "left" in joint else joint.replace("right", "left")
            if other != joint and bone and found.get(other) == bone:
                swapped.append((name, joint))
    assert swapped == []
    assert right >= 0.98 * (right + len(wrong)), wrong


@pytest.mark.parametrize("name", [name for name in TRUTH if name not in NOT_MOVED])
def test_real_rigs_move_like_the_motion(stage: Stage, name: str) -> None:
    scene: Rna = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 20, 1.0
    rig = load(TRUTH[name].file)
    motion = walk(stage.addon)
    bone_map = stage.animate(rig, motion)
    body = stage.body.measure(stage.armature.read_rest_pose(rig), bone_map)
    seen = _seen(rig, bone_map)
    poses = stage.evaluated(rig, seen, motion.frames)
    turned = np.array(rig.matrix_world)[:3, :3] @ body.axes
    errors = stage.direction_error(poses, motion, turned / np.linalg.norm(turned, axis=0))
    arms = [2, 3, 6, 7] if "left_wrist" in poses else [2, 6]
    assert errors[:, arms].max() < 1.0
    assert errors.mean() < 2.0
    for side in ("left", "right"):
        _bends_forwards(poses, turned, side)
    source = stage.shared.quaternions.to_matrix(stage.shared.rotations.world_rotations(motion.rotations))
    limit = float(stage.steps(source).max()) + 10.0
    assert max(stage.steps(matrices[:, :3, :3]).max() for matrices in poses.values()) < limit
    _feet_stand(name, stage, body, poses, motion, turned)


# Legs as short as their feet are long cannot always reach. Leg lengths a second, more than the motion's own.
SLIDE_LIMIT = {"kaykit_knight": 0.08, "kaykit_mannequin": 0.08}


def _seen(rig: Rna, bone_map: Rna) -> dict[str, str]:
    """Joint -> the bone that shows: the deforming one in a generated Rigify rig."""
    if bone_map.family != "rigify_control":
        return bone_map.bones
    seen = {joint: bone.replace("_fk", "") for joint, bone in bone_map.bones.items() if "_" in joint}
    seen = {joint: f"DEF-{bone}" for joint, bone in seen.items() if f"DEF-{bone}" in rig.pose.bones}
    return seen | {"pelvis": "DEF-spine", "head": "DEF-spine.006"}


def _bends_forwards(poses: dict[str, Array], axes: Array, side: str) -> None:
    """The knee stays in front of the line from hip to ankle."""
    hip, knee, ankle = (poses[f"{side}_{joint}"][:, :3, 3] for joint in ("hip", "knee", "ankle"))
    line = (ankle - hip) / np.linalg.norm(ankle - hip, axis=1, keepdims=True)
    bulge = (knee - hip) - np.sum((knee - hip) * line, axis=1, keepdims=True) * line
    length = np.linalg.norm(ankle - hip, axis=1)
    assert ((bulge @ axes[:, 2]) / np.linalg.norm(axes[:, 2]) > -0.02 * length).all()


def _feet_stand(name: str, stage: Stage, body: Rna, poses: dict[str, Array], motion: Rna, axes: Array) -> None:
    """Ankles in contact keep their height, and what the foot stands on (ankle or toe) its place, in leg lengths."""
    up = axes[:, 1] / np.linalg.norm(axes[:, 1])
    leg = 0.79 * body.scale * float(np.linalg.norm(axes[:, 1]))

    def source(joint: str) -> Array:
        return motion.positions[:, stage.shared.skeleton.INDEX[joint]].astype(float)

    for channel, side in ((0, "left"), (2, "right")):
        ankle = f"{side}_ankle"
        held = motion.contacts[:, channel] > 0.6
        flat = float(stage.shared.skeleton.rest_positions()[stage.shared.skeleton.INDEX[ankle], 1])
        above = (motion.positions[:, stage.shared.skeleton.INDEX[ankle], 1] - flat) / 0.79
        height = poses[ankle][:, :3, 3] @ up / leg - above
        assert np.ptp(height[held]) < 0.05, side
        joints = [joint for joint in (ankle, f"{side}_foot") if joint in poses]
        places = ([poses[joint][:, :3, 3] / leg for joint in joints], [source(joint) / 0.79 for joint in joints])
        mine, theirs = (
            np.min([np.linalg.norm(np.diff(place, axis=0), axis=1) for place in each], axis=0) for each in places
        )
        both = held[1:] & held[:-1]
        assert (mine - theirs)[both].mean() * motion.fps < SLIDE_LIMIT.get(name, 0.02), side
