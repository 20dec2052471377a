# SPDX-License-Identifier: GPL-3.0-or-later
"""Real rigs with other names, turned, posed and mirrored: the map is the same, and they move as well as before."""

from __future__ import annotations

import importlib
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from motions import CMU, walk
from rig_stage import TO_BLENDER, Array, Rna, Stage, editing
from test_rig_families import NOT_MOVED, RIGS, TRUTH, Truth, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

shared = pytest.mark.skipif(not (RIGS.exists() and CMU.exists()), reason="the shared data is not at hand")
Axis = Literal["X", "Y", "Z"]
Change = Any  # (rest pose, truth, the add-on's rig room) -> the same, changed

# Where bones do not lie in one plane with their names gone there is nothing to go by: layers of controls and of
# mechanism, feet that are chains of their own.
NAMELESS = ("rigify_control", "m2m_control", "quaternius_cyberpunk", "quaternius_knight")


@pytest.fixture
def stage(addon: str) -> Stage:
    return Stage(addon)


@pytest.fixture(scope="module")
def rests(addon: str) -> dict[str, Any]:
    """The rest poses of all shared rigs that can be moved."""
    found = {}
    for name in (name for name in TRUTH if name not in NOT_MOVED):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        found[name] = Stage(addon).armature.read_rest_pose(load(TRUTH[name].file))
    return found


def about(axis: Axis, degrees: float) -> Array:
    return np.array(Matrix.Rotation(np.radians(degrees), 3, axis))


def turned(axis: Axis, degrees: float, scale: float = 1.0) -> Change:
    """All bones turned in armature space, the object with them."""

    def change(rest: Any, truth: Truth, room: Any) -> tuple[Any, Truth]:  # noqa: ANN401  (the add-on's types)
        matrix = np.eye(4)
        matrix[:3, :3] = scale * about(axis, degrees)
        matrices = matrix @ rest.matrices
        matrices[:, :3, :3] /= scale
        tails = rest.tails @ matrix[:3, :3].T
        return replace(rest, matrices=matrices, tails=tails, world=rest.world @ np.linalg.inv(matrix)), truth

    return change


def posed(**turns: tuple[Axis, float]) -> Change:
    """Limbs turned about an axis of the body (X left, Y up, Z forwards), those of the right as in a mirror."""

    def change(rest: Any, truth: Truth, room: Any) -> tuple[Any, Truth]:  # noqa: ANN401  (the add-on's types)
        heads = {joint: rest.heads[rest.index[bone]] for joint, bone in truth.bones.items() if bone}
        axes = room("body").body_axes(heads)
        for joint, (axis, degrees) in turns.items():
            for side, sign in (("left", 1.0), ("right", 1.0 if axis == "X" else -1.0)):
                root = rest.index[truth.bones[f"{side}_{joint}"]]
                matrix = axes @ about(axis, sign * degrees) @ axes.T
                moved = [bone for bone in range(len(rest.names)) if root in (bone, *rest.carried_by(bone))]
                pivot, matrices, tails = rest.heads[root], rest.matrices.copy(), rest.tails.copy()
                matrices[moved, :3, :3] = matrix @ matrices[moved, :3, :3]
                matrices[moved, :3, 3] = pivot + (matrices[moved, :3, 3] - pivot) @ matrix.T
                tails[moved] = pivot + (tails[moved] - pivot) @ matrix.T
                rest = replace(rest, matrices=matrices, tails=tails)
        return rest, truth

    return change


def called(rename: Callable[[str, int, Any], str]) -> Change:
    def change(rest: Any, truth: Truth, room: Any) -> tuple[Any, Truth]:  # noqa: ANN401  (the add-on's types)
        names: dict[str, str] = {}
        for number, name in enumerate(rest.names):
            names[name] = rename(name, number, room("names"))
            while list(names.values()).count(names[name]) > 1:
                names[name] += "_"
        bones = {joint: names.get(bone, "") for joint, bone in truth.bones.items()}
        also = {joint: {names[bone] for bone in other if bone in names} for joint, other in truth.also.items()}
        return replace(rest, names=tuple(names.values())), Truth(truth.file, bones, also)

    return change


def both(*changes: Change) -> Change:
    def change(rest: Any, truth: Truth, room: Any) -> tuple[Any, Truth]:  # noqa: ANN401  (the add-on's types)
        for each in changes:
            rest, truth = each(rest, truth, room)
        return rest, truth

    return change


def wide(text: str) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


VIEWER = called(lambda name, _, names: names.mirrored(name))
NO_NAMES = called(lambda _, number, __: f"Bone.{number:03}")
CHANGES: dict[str, Change] = {
    "facing +Y": turned("Z", 180.0),
    "facing +X": turned("Z", 90.0),
    "facing nowhere in particular": turned("Z", 37.0),
    "Y up": turned("X", -90.0),
    "on its side, a hundredth": turned("Y", 90.0, 0.01),
    "A-pose": posed(shoulder=("Z", -40.0)),
    "arms down": posed(shoulder=("Z", -75.0)),
    "arms forwards": posed(shoulder=("Y", -80.0)),
    "legs apart": posed(hip=("Z", 25.0)),
    "full width": called(lambda name, _, __: wide(name)),
    "upper case": called(lambda name, _, __: name.upper()),
    "of a character": called(lambda name, _, __: f"hero_{name}"),
    "a copy": called(lambda name, _, __: f"{name}.001"),
    "seen from in front": VIEWER,
    "seen from in front, A-pose, facing +X": both(VIEWER, posed(shoulder=("Z", -40.0)), turned("Z", 90.0)),
    "nameless": NO_NAMES,
    "nameless, A-pose, turned, tiny": both(NO_NAMES, posed(shoulder=("Z", -40.0)), turned("Z", 37.0, 0.01)),
    "sitting": posed(hip=("X", -90.0), knee=("X", 90.0)),
}
# What has neither names nor a straight leg to go by, and a body that sits while it lies.
HOPELESS = {"sitting": ("cesium_man", "mocap_spine4_lying")}


@shared
@pytest.mark.parametrize("name", CHANGES)
def test_nearly_all_joints_are_mapped_right(stage: Stage, rests: dict[str, Any], name: str) -> None:
    def room(module: str) -> Any:  # noqa: ANN401  (a module)
        return importlib.import_module(f"{stage.addon}.rig.{module}")

    skeleton = stage.shared.skeleton
    right, wrong, swapped = 0, [], []
    left_out = HOPELESS.get(name, NAMELESS if name.startswith("nameless") else ())
    for rig, still in rests.items():
        if rig in left_out:
            continue
        rest, truth = CHANGES[name](still, TRUTH[rig], room)
        found = stage.detect.propose(rest).bones
        for joint, bone in truth.bones.items():
            if found.get(joint, "") in {bone, *truth.also[joint]}:
                right += 1
            else:
                wrong.append((rig, joint, found.get(joint), bone))
            other = skeleton.JOINTS[skeleton.MIRROR[skeleton.INDEX[joint]]]
            if other != joint and bone and found.get(other) == bone:
                swapped.append((rig, joint))
    assert swapped == []
    assert right >= 0.98 * (right + len(wrong)), wrong


def _errors(stage: Stage, rig: Rna) -> dict[str, float]:
    rig_report = importlib.import_module(f"{stage.addon}.rig_report")
    found = stage.detect.map_bones(stage.armature.read_rest_pose(rig))
    return rig_report.make(bpy.context, rig, found, walk(stage.addon, frames=40)).errors


def _within_the_bars(errors: dict[str, float]) -> None:
    assert errors["direction_mean_degrees"] < 2.0
    assert errors["joints_mean_percent"] < 1.0
    assert errors["foot_slide_mean_cm_s"] < 2.0
    assert errors["knees_backwards_frames"] == 0
    assert abs(errors["travel_percent"] - 100.0) < 3.0
    assert errors["step_max_degrees"] < errors["source_step_max_degrees"] + 5.0


# Axes of the world, for a figure that faces -Y.
RESTS: dict[str, dict[str, tuple[Axis, float]]] = {
    "sitting": {"thigh": ("X", -90.0), "calf": ("X", 90.0)},
    "arms down, elbows bent": {"upperarm": ("Y", 40.0), "lowerarm": ("X", -40.0)},
    "legs apart, arms forwards": {"thigh": ("Y", -20.0), "upperarm": ("Z", -60.0)},
}


@shared
@pytest.mark.parametrize("name", RESTS)
def test_whatever_the_rest_pose_the_motion_comes_out_the_same(stage: Stage, name: str) -> None:
    """Blender itself makes the pose the rest pose."""
    rig = load(TRUTH["mpfb_game_engine"].file)
    bpy.context.view_layer.objects.active = rig
    for part, (axis, degrees) in RESTS[name].items():
        for side, sign in (("l", 1.0), ("r", 1.0 if axis == "X" else -1.0)):
            bpy.context.view_layer.update()
            bone = rig.pose.bones[f"{part}_{side}"]
            pivot = Matrix.Translation(bone.head)
            bone.matrix = pivot @ Matrix.Rotation(np.radians(sign * degrees), 4, axis) @ pivot.inverted() @ bone.matrix
    bpy.context.view_layer.update()
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.pose.armature_apply()
    bpy.ops.object.mode_set(mode="OBJECT")
    _within_the_bars(_errors(stage, rig))


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "XYZ", "ZYX"])
@pytest.mark.parametrize("scale", [(-1.0, 1.0, 1.0), (0.5, -0.5, 0.5), (-0.01, -0.01, -0.01)])
def test_mirrored_objects_show_the_motion_and_not_its_mirror_image(stage: Stage, scale: Array, mode: str) -> None:
    rig = stage.armature.build_skeleton()
    parent: Rna = bpy.data.objects.new("Parent", None)
    bpy.context.collection.objects.link(parent)
    parent.rotation_euler = (0.3, 0.2, 0.5)
    rig.parent, rig.scale, rig.rotation_euler, rig.location = parent, scale, (0.0, 0.0, 2.0), (1.0, 2.0, 3.0)
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    with editing(rig) as bones:
        for number, bone in enumerate(bones):
            bone.roll = 1.7 * number
    motion = walk(stage.addon, frames=30)
    found = stage.animate(rig, motion)
    assert found.bones["left_hip"] == "right_hip"  # which is seen on the left
    poses = stage.evaluated(rig, found.bones, motion.frames)
    world = np.array(rig.matrix_world)[:3, :3]
    seen = world / np.linalg.norm(world, axis=0) @ np.diag([-1.0, 1.0, 1.0]) @ TO_BLENDER
    assert stage.direction_error(poses, motion, seen).max() < 0.1
    capture = importlib.import_module(f"{stage.addon}.capture")
    bpy.context.scene.render.fps = 20
    again = capture.between(rig, bpy.context, 1.0, 10.0)
    np.testing.assert_allclose(again.positions[:10], motion.positions[:10], atol=1e-3)


# One of each kind of motion file: archive below the shared motions, clip, family.
FILES = {
    "Bandai Namco": ("bandai-namco/bandai_namco_bvh.tar.xz", "dataset-1_bow_active_001", "bandai_namco"),
    "CMU": ("cmu/cmu_bvh.tar.xz", "01_01", "cmu"),
    "CMU for Daz": ("cmu/cmu_bvh.tar.xz", "05_02", "poser"),
    "Unreal names": ("cc0-mesh2motion/cc0_bvh.tar.xz", "addon_angry", "unreal"),
    "Rigify names": ("cc0-mesh2motion/cc0_bvh.tar.xz", "base_crouch_fwd_loop", "rigify_deform"),
}


@shared
@pytest.mark.parametrize("kind", FILES)
def test_skeletons_of_motion_files_take_motions_themselves(stage: Stage, tmp_path: Path, kind: str) -> None:
    """Some of them lay all bones in one line at rest."""
    archive, clip, family = FILES[kind]
    with tarfile.open(CMU.parents[1] / archive) as packed:
        member = next(one for one in packed if one.name.endswith(f"/{clip}.bvh"))
        stream = packed.extractfile(member)
        assert stream
        (tmp_path / "clip.bvh").write_bytes(stream.read())
    ops: Rna = bpy.ops
    bpy.ops.preferences.addon_enable(module="io_anim_bvh")
    ops.import_anim.bvh(filepath=str(tmp_path / "clip.bvh"))
    rig: Rna = bpy.context.active_object
    found = stage.detect.map_bones(stage.armature.read_rest_pose(rig))
    assert found.family == family
    assert len(found.bones) >= 19
    bpy.context.scene.frame_set(1)
    _within_the_bars(_errors(stage, rig))
