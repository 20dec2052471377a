# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion on odd figures, put together again as Blender would."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from evaluation import heads
from figures import Bone, person, renamed, rest_pose
from numpy.typing import NDArray

from backend.motion import quaternions as quat
from backend.motion.clip import Motion
from backend.motion.rotations import forward_kinematics, rotations_from_positions
from backend.motion.skeleton import INDEX, JOINTS, rest_positions
from remodiffuse_blender.rig.axes import TO_BLENDER
from remodiffuse_blender.rig.bone_map import BoneMap
from remodiffuse_blender.rig.detect import map_bones
from remodiffuse_blender.rig.rotation_modes import in_modes
from remodiffuse_blender.rig.solve import solve

if TYPE_CHECKING:
    from remodiffuse_blender.rig.rest_pose import RestPose

Array = NDArray[Any]
SAME = BoneMap("test", {joint: joint for joint in JOINTS})
LIMBS = [
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
]


def dance(frames: int = 40) -> Motion:
    """All joints in motion, hips travelling and turning; knees and elbows bend the way they can."""
    dice = np.random.default_rng(7)
    beat = np.linspace(0.0, 4.0, frames)
    rotations = np.zeros((frames, 22, 4))
    rotations[..., 0] = 1.0
    for joint in range(22):
        axis = quat.unit(dice.normal(size=3))
        rotations[:, joint] = quat.about(axis, 0.25 * np.sin(beat * dice.uniform(0.5, 2.0) + dice.uniform(0.0, 6.0)))
    for joint, axis in (
        ("left_elbow", [0, -1, 0]),
        ("right_elbow", [0, 1, 0]),
        ("left_knee", [1, 0, 0]),
        ("right_knee", [1, 0, 0]),
    ):
        rotations[:, INDEX[joint]] = quat.about(np.array(axis, dtype=float), 0.8 + 0.5 * np.sin(1.3 * beat))
    root = np.stack((0.3 * beat, 0.85 + 0.02 * np.sin(beat), 0.5 * beat), axis=1)
    positions = forward_kinematics(rotations, root)
    again = rotations_from_positions(positions)
    return Motion(
        20.0, forward_kinematics(again, root), again, root.astype(np.float32), np.zeros((frames, 4), np.float32)
    )


def straight_person() -> dict[str, Bone]:
    """The canonical figure exactly, without the little bends of `person`."""
    bones = person()
    for joint, place in zip(JOINTS, rest_positions() @ TO_BLENDER.T, strict=True):
        bones[joint].head = place
    return bones


def limb_error(rest: RestPose, bone_map: BoneMap, motion: Motion) -> float:
    """Degrees, the largest angle between a limb's bone and the motion's."""
    place = heads(rest, solve(rest, bone_map, motion))
    worst = 0.0
    for a, b in LIMBS:
        bone = place[bone_map.bones[b]] - place[bone_map.bones[a]]
        wanted = (motion.positions[:, INDEX[b]] - motion.positions[:, INDEX[a]]).astype(float) @ TO_BLENDER.T
        across = np.linalg.norm(np.cross(bone, wanted), axis=1)
        worst = max(worst, float(np.degrees(np.arctan2(across, np.sum(bone * wanted, axis=1))).max()))
    return worst


def test_the_same_figure_goes_exactly_where_the_motion_goes() -> None:
    motion = dance()
    rest = rest_pose(straight_person())
    place = heads(rest, solve(rest, SAME, motion))
    for joint in JOINTS:
        np.testing.assert_allclose(place[joint], motion.positions[:, INDEX[joint]] @ TO_BLENDER.T, atol=1e-4)


def test_a_giant_strides_and_stands_in_proportion() -> None:
    motion = dance()
    bones = straight_person()
    for bone in bones.values():
        bone.head = 3.0 * bone.head
    rest = rest_pose(bones)
    place = heads(rest, solve(rest, SAME, motion))
    for joint in JOINTS:
        np.testing.assert_allclose(place[joint], 3.0 * motion.positions[:, INDEX[joint]] @ TO_BLENDER.T, atol=1e-3)


@pytest.mark.parametrize("flag", ["inherit_rotation", "local_location"])
def test_inheritance_flags_are_respected(flag: str) -> None:
    rest = rest_pose(straight_person())
    flags = tuple(index % 3 != 1 for index in range(len(rest.names)))
    changed = {
        "inherit_rotation": replace(rest, inherit_rotation=flags),
        "local_location": replace(rest, local_location=flags),
    }
    assert limb_error(changed[flag], SAME, dance()) < 0.01


def test_any_axes_of_the_bones_will_do() -> None:
    rest = rest_pose(straight_person())
    dice = np.random.default_rng(3)
    turned = rest.matrices.copy()
    turned[:, :3, :3] = quat.to_matrix(quat.unit(dice.normal(size=(len(rest.names), 4))))
    assert limb_error(replace(rest, matrices=turned), SAME, dance()) < 0.01


def test_legs_and_spine_may_hang_side_by_side_on_a_centre() -> None:
    bones = straight_person()
    bones["centre"] = Bone(np.array([0.0, 0.0, 0.6]), "")
    bones["pelvis"].parent = bones["spine1"].parent = "centre"
    rest = rest_pose(bones)
    motion = dance()
    channels = solve(rest, SAME, motion)
    assert limb_error(rest, SAME, motion) < 0.01
    place = heads(rest, channels)
    for joint in ("left_ankle", "head", "right_wrist"):
        np.testing.assert_allclose(place[joint], motion.positions[:, INDEX[joint]] @ TO_BLENDER.T, atol=2e-3)
    assert "centre" in {channel.bone for channel in channels.channels if channel.path == "location"}


def test_feet_may_be_chains_of_their_own() -> None:
    bones = straight_person()
    bones["root"] = Bone(np.zeros(3), "")
    for name in ("pelvis", "left_ankle", "right_ankle"):
        bones[name].parent = "root"
    rest, motion = rest_pose(bones), dance()
    place = heads(rest, solve(rest, SAME, motion))
    for joint in ("left_foot", "right_ankle"):
        np.testing.assert_allclose(place[joint], motion.positions[:, INDEX[joint]] @ TO_BLENDER.T, atol=2e-3)


def test_thighs_may_hang_on_the_spine() -> None:
    bones = straight_person()
    bones["left_hip"].parent = bones["right_hip"].parent = "spine1"
    assert limb_error(rest_pose(bones), SAME, dance()) < 0.01


def test_hips_that_are_connected_leave_the_travel_to_the_bone_above() -> None:
    bones = straight_person()
    bones["root"] = Bone(np.zeros(3), "")
    bones["pelvis"].parent = "root"
    rest = rest_pose(bones)
    rest = replace(rest, connected=tuple(name == "pelvis" for name in rest.names))
    channels = solve(rest, SAME, dance())
    assert {channel.bone for channel in channels.channels if channel.path == "location"} == {"root"}


def test_few_bones_are_enough() -> None:
    bones = {**SAME.bones}
    for joint in ("spine2", "spine3", "neck", "left_collar", "right_collar", "left_foot", "right_foot"):
        del bones[joint]
    rest = rest_pose(renamed(straight_person(), bones))
    assert limb_error(rest, map_bones(rest_pose(renamed(person(), bones))), dance()) < 0.5


def test_frames_of_the_scene_lie_between_those_of_the_motion() -> None:
    motion = dance(41)
    rest = rest_pose(straight_person())
    slow, quick = solve(rest, SAME, motion), solve(rest, SAME, motion, fps=60.0)
    assert len(quick.frames) == 121
    for one, other in zip(slow.channels, quick.channels, strict=True):
        np.testing.assert_allclose(other.values[::3], one.values, atol=1e-6)
    step = max(np.abs(np.diff(channel.values, axis=0)).max() for channel in slow.channels)
    assert max(np.abs(np.diff(channel.values, axis=0)).max() for channel in quick.channels) < 0.6 * step


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_euler_angles_run_on_past_half_a_turn(order: str) -> None:
    turns = quat.about(np.array([0.0, 0.0, 1.0]), np.linspace(0.0, 4.0 * np.pi, 100))[:, None]
    angles = in_modes(turns, [order])[0]
    np.testing.assert_allclose(angles[-1], [0.0, 0.0, 4.0 * np.pi], atol=1e-6)


def test_an_axis_keeps_its_side_through_no_turn_at_all() -> None:
    swing = 0.5 * np.sin(np.linspace(0.0, 4.0 * np.pi, 81))
    values = in_modes(quat.about(np.array([0.0, 1.0, 0.0]), swing)[:, None], ["AXIS_ANGLE"])[0]
    np.testing.assert_allclose(np.abs(np.diff(values[:, 1:], axis=0)).max(), 0.0, atol=1e-6)
    assert np.abs(np.diff(values[:, 0])).max() < 0.1


def foot_moved(bones: dict[str, Bone], heel: Array) -> None:
    """Moves the toes so that they start at `heel` (3) from the ankle."""
    for side in ("left", "right"):
        bones[f"{side}_foot"].head = bones[f"{side}_ankle"].head + heel


def steps(frames: int = 40) -> Motion:
    """A person stands on both toes and rolls the feet up and down, knees giving way."""
    beat = 0.5 - 0.5 * np.cos(np.linspace(0.0, 6.0, frames))
    rotations = np.zeros((frames, 22, 4))
    rotations[..., 0] = 1.0
    x = np.array([1.0, 0.0, 0.0])
    for side in ("left", "right"):
        for joint, angle in (("hip", -0.5), ("knee", 1.0), ("ankle", 0.1)):
            rotations[:, INDEX[f"{side}_{joint}"]] = quat.about(x, 0.3 * np.sign(angle) + angle * beat)
    positions = forward_kinematics(rotations, np.zeros((frames, 3)))
    root = -positions[:, INDEX["left_foot"]] * [0.0, 1.0, 1.0] + [0.0, 0.02, 0.0]
    positions = forward_kinematics(rotations, root)
    labels = np.tile(np.array([0.0, 1.0, 0.0, 1.0], np.float32), (frames, 1))
    return Motion(20.0, positions, rotations.astype(np.float32), root.astype(np.float32), labels)


def test_feet_that_hang_straight_down_at_rest_are_turned_up() -> None:
    bones = straight_person()
    foot_moved(bones, np.array([0.0, 0.0, -0.13]))
    motion = dance()
    rest = rest_pose(bones)
    place = heads(rest, solve(rest, SAME, motion))
    assert limb_error(rest, SAME, motion) < 0.5
    along = place["left_foot"] - place["left_ankle"]
    wanted = (motion.positions[:, INDEX["left_foot"]] - motion.positions[:, INDEX["left_ankle"]]) @ TO_BLENDER.T
    cosine = np.sum(along * wanted, axis=1) / np.linalg.norm(along, axis=1) / np.linalg.norm(wanted, axis=1)
    assert np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).max() < 0.5


def test_long_feet_roll_less_and_leave_the_legs_alone() -> None:
    motion, size = steps(), 2.5
    bones = straight_person()
    drop = bones["left_foot"].head - bones["left_ankle"].head
    foot_moved(bones, size * drop)
    for bone in bones.values():
        bone.head = bone.head - [0.0, 0.0, (size - 1.0) * drop[2]]
    rest = rest_pose(bones)
    place = heads(rest, solve(rest, SAME, motion))
    assert np.ptp(place["left_foot"][:, 2]) < 1e-3
    # Rolled as far as short ones they would turn the legs by 17 degrees and slide by 2 cm a frame.
    assert limb_error(rest, SAME, motion) < 5.0
    assert np.abs(np.diff(place["left_foot"][:, :2], axis=0)).max() < 0.005


def test_a_toe_that_starts_at_the_ankle_is_none() -> None:
    bones = straight_person()
    foot_moved(bones, np.array([0.0, -0.01, -0.02]))
    assert limb_error(rest_pose(bones), SAME, steps()) < 0.5
