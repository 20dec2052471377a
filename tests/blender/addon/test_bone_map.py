# SPDX-License-Identifier: GPL-3.0-or-later
"""The bone map belongs to the animator: edited, mirrored, kept with the armature, saved and loaded, undone."""

from __future__ import annotations

import importlib
import json
import math
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from scenes import Rna, context, ops, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture
def target(addon: str) -> Rna:
    return importlib.import_module(f"{addon}.target")


@pytest.fixture
def table(armature: Rna) -> Rna:
    return armature.remodiffuse_bones


@pytest.fixture
def hero(armature: Rna) -> Rna:
    """The plain skeleton with a second, unmapped pair of hands."""
    ops.object.mode_set(mode="EDIT")
    for side in ("left", "right"):
        for name in (f"Paw.{side[0].upper()}", f"{side}_mitten"):
            bone = armature.data.edit_bones.new(name)
            wrist = armature.data.edit_bones[f"{side}_wrist"]
            bone.head, bone.tail, bone.parent = wrist.tail, wrist.tail + wrist.vector, wrist
    ops.object.mode_set(mode="OBJECT")
    return armature


def test_the_table_shows_what_was_detected(table: Rna, target: Rna, armature: Rna) -> None:
    assert table.left_hip == "left_hip"
    assert table.chosen == ""
    assert target.bone_map(armature).bones["head"] == "head"


def test_an_edit_is_followed_on_the_other_side_and_undone(hero: Rna, table: Rna, target: Rna) -> None:
    ops.ed.undo_push(message="before")
    table.left_wrist = "Paw.L"
    assert table.right_wrist == "Paw.R"
    table.right_wrist = "right_mitten"
    assert table.left_wrist == "left_mitten"
    ops.ed.undo_push(message="edited")
    assert target.bone_map(hero).bones["left_wrist"] == "left_mitten"
    ops.ed.undo()
    hero = context.active_object
    assert hero.remodiffuse_bones.left_wrist == "left_wrist"
    ops.ed.redo()
    hero = context.active_object
    table = hero.remodiffuse_bones
    table.mirror = False
    table.left_wrist = "Paw.L"
    assert table.right_wrist == "right_mitten"
    table.left_wrist = ""
    assert "left_wrist" not in target.bone_map(hero).bones
    assert target.bone_map(hero).bones["right_wrist"] == "right_mitten"
    ops.remodiffuse.detect_bones()
    assert target.bone_map(hero).bones["left_wrist"] == "left_wrist"


def test_motions_go_to_the_chosen_bones(hero: Rna, table: Rna, target: Rna, addon: str) -> None:
    motions = pytest.importorskip("motions")
    table.left_wrist = "Paw.L"
    channels = target.solve_motion(hero, motions.walk(addon, frames=5), 20.0)
    keyed = {channel.bone for channel in channels.channels}
    assert {"Paw.L", "Paw.R"} <= keyed
    assert not {"left_wrist", "right_wrist"} & keyed


def test_the_map_is_kept_with_the_armature(hero: Rna, table: Rna, tmp_path: Path) -> None:
    table.left_wrist = "Paw.L"
    name = hero.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hero.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "hero.blend"))
    kept: Rna = bpy.data.objects[name]
    assert (kept.remodiffuse_bones.left_wrist, kept.remodiffuse_bones.right_wrist) == ("Paw.L", "Paw.R")


def test_a_library_override_has_a_map_of_its_own(hero: Rna, tmp_path: Path, target: Rna) -> None:
    assert hero.remodiffuse_bones.left_wrist == "left_wrist"
    name = hero.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    libraries: Rna = bpy.data.libraries
    with libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.objects = [name]
    linked: Rna = wanted.objects[0]
    context.scene.collection.objects.link(linked)
    ours = linked.override_create(remap_local_usages=True)
    ours.remodiffuse_bones.left_wrist = "Paw.L"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    kept: Rna = next(each for each in bpy.data.objects if each.type == "ARMATURE" and each.override_library)
    assert target.bone_map(kept).bones["right_wrist"] == "Paw.R"


def test_a_map_goes_to_a_file_and_comes_back(hero: Rna, table: Rna, target: Rna, tmp_path: Path) -> None:
    table.left_wrist = "Paw.L"
    wanted = target.bone_map(hero)
    file = str(tmp_path / "paws.json")
    ops.remodiffuse.save_bone_map(filepath=file)
    assert json.loads((tmp_path / "paws.json").read_text())["bones"]["right_wrist"] == "Paw.R"
    ops.remodiffuse.detect_bones()
    assert target.bone_map(hero) != wanted
    ops.remodiffuse.load_bone_map(filepath=file)
    assert target.bone_map(hero) == wanted


HEAD = '"format": "remodiffuse-bone-map", "version": 1, "bones": '
BAD = {
    "not json": "{",
    "another format": '{"format": "x", "version": 1, "bones": {}}',
    "a newer version": '{"format": "remodiffuse-bone-map", "version": 2, "bones": {}}',
    "an unknown joint": f'{{{HEAD}{{"tail": "Tail"}}}}',
    "a bone that is no name": f'{{{HEAD}{{"head": 3}}}}',
    "something besides": f'{{{HEAD}{{}}, "run": "x"}}',
    "a joint twice": f'{{{HEAD}{{"head": "a", "head": "b"}}}}',
    "no rotation": f'{{{HEAD}{{}}, "reference_pose": {{"a": [1, 1, 0, 0]}}}}',
    "no number": f'{{{HEAD}{{}}, "reference_pose": {{"a": [NaN, 0, 0, 0]}}}}',
    "too nested": "[" * 100000,
    "too large": " " * (1 << 20) + "{}",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_what_is_no_bone_map_is_refused(table: Rna, tmp_path: Path, text: str) -> None:
    (tmp_path / "map.json").write_text(text)
    assert "is no bone map" in refusal(lambda: ops.remodiffuse.load_bone_map(filepath=str(tmp_path / "map.json")))
    assert table.chosen == ""


def test_a_map_of_another_character_is_refused(table: Rna, tmp_path: Path) -> None:
    data = {"format": "remodiffuse-bone-map", "version": 1, "bones": {"head": "Kopf", "neck": "neck"}}
    (tmp_path / "map.json").write_text(json.dumps(data))
    assert '"Kopf"' in refusal(lambda: ops.remodiffuse.load_bone_map(filepath=str(tmp_path / "map.json")))
    assert "could not be read" in refusal(lambda: ops.remodiffuse.load_bone_map(filepath=str(tmp_path / "none.json")))
    assert table.chosen == ""


def test_a_map_that_does_not_do_says_why(hero: Rna, table: Rna, target: Rna) -> None:
    table.mirror = False
    table.left_knee = "left_hip"
    with pytest.raises(Exception, match="plays two joints"):
        target.bone_map(hero)
    table.left_knee = ""
    with pytest.raises(Exception, match="left knee"):
        target.bone_map(hero)
    table.left_knee = "left_knee"
    hero.data.bones["left_knee"].name = "renamed"
    with pytest.raises(Exception, match="Detect Again"):
        target.bone_map(hero)


def test_nonsense_in_the_file_is_no_map(hero: Rna, table: Rna, target: Rna) -> None:
    """A .blend from a stranger may hold anything."""
    for text in ("{", "[]", '{"tail": 1}', "[" * 100000):
        table.chosen = text
        table.reference = text
        assert target.bone_map(hero).bones["head"] == "head"
        assert target.bone_map(hero).reference == {}


def _directions(armature: Rna) -> dict[str, NDArray[np.float64]]:
    """World directions of the arms' bones at the current frame."""
    bones = armature.pose.bones
    ends = (("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"), ("right_shoulder", "right_elbow"))
    return {
        start: np.array((bones[end].matrix.translation - bones[start].matrix.translation).normalized())
        for start, end in ends
    }


def test_the_current_pose_becomes_the_t_pose(armature: Rna, target: Rna, addon: str) -> None:
    """Standing still in the T-pose, the rig stands as the animator posed it, and the pose itself is not lost."""
    shared = importlib.import_module(f"{addon}.shared")
    timeline = importlib.import_module(f"{addon}.timeline")
    turns = np.zeros((2, 22, 4), np.float32)
    turns[..., 0] = 1.0
    root = np.tile(np.array([0.0, 0.9, 0.0], np.float32), (2, 1))
    positions = shared.rotations.forward_kinematics(turns, root).astype(np.float32)
    still = shared.Motion(20.0, positions, turns, root, np.zeros((2, 4), np.float32))

    bone = armature.pose.bones["left_shoulder"]
    bone.matrix = bone.matrix @ Matrix.Rotation(math.radians(30.0), 4, "X")
    context.view_layer.update()
    posed, basis = _directions(armature), bone.matrix_basis.copy()
    ops.remodiffuse.use_reference_pose()
    assert bone.matrix_basis == basis
    assert target.bone_map(armature).reference

    def after() -> dict[str, NDArray[np.float64]]:
        timeline.write_action(armature, target.solve_motion(armature, still, 20.0), "still", 1.0)
        context.scene.frame_set(2)
        return _directions(armature)

    for start, wanted in posed.items():
        np.testing.assert_allclose(after()[start], wanted, atol=1e-4)
    ops.remodiffuse.clear_reference_pose()
    armature.animation_data_clear()
    straight = after()
    np.testing.assert_allclose(straight["left_shoulder"], [1.0, 0.0, 0.0], atol=1e-3)
    assert np.abs(straight["left_shoulder"] - posed["left_shoulder"]).max() > 0.1
