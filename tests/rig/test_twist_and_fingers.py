# SPDX-License-Identifier: GPL-3.0-or-later
"""Twist bones take their share of a limb's twist, and fingers take a pose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from evaluation import heads, turns
from figures import Bone, person, rest_pose
from numpy.typing import NDArray

from backend.motion import quaternions as quat
from backend.motion.clip import Motion
from backend.motion.rotations import forward_kinematics
from backend.motion.skeleton import INDEX, JOINTS
from remodiffuse_blender.rig.bone_map import BoneMap
from remodiffuse_blender.rig.options import Fingers, Options
from remodiffuse_blender.rig.solve import solve

Array = NDArray[Any]
SAME = BoneMap("test", {joint: joint for joint in JOINTS})
X, Y, Z = np.eye(3)
FRAMES = 31
TWIST = np.linspace(-1.2, 1.2, FRAMES)


def twisting() -> Motion:
    """A person in the T-pose who turns the left arm about itself, by `TWIST` radians, and the right thigh, by half."""
    rotations = np.zeros((FRAMES, 22, 4))
    rotations[..., 0] = 1.0
    rotations[:, INDEX["left_shoulder"]] = quat.about(X, TWIST)
    rotations[:, INDEX["right_hip"]] = quat.about(-Y, 0.5 * TWIST)
    positions = forward_kinematics(rotations, np.tile(np.array([0.0, 0.9, 0.0]), (FRAMES, 1)))
    return Motion(
        20.0, positions, rotations.astype(np.float32), positions[:, 0].copy(), np.zeros((FRAMES, 4), np.float32)
    )


def along(bones: dict[str, Bone], start: str, end: str, share: float) -> Array:
    return bones[start].head + share * (bones[end].head - bones[start].head)


def angles(rotations: Array, axis: Array) -> Array:
    """How far (T) rotations turn about an axis, against their mean, radians."""
    twist = np.unwrap(2.0 * np.arctan2(rotations[:, 1:] @ axis, rotations[:, 0]))
    return twist - twist.mean()


def straightened() -> dict[str, Bone]:
    bones = person()
    for side in ("left", "right"):
        for start, middle, end in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")):
            bones[f"{side}_{middle}"].head = along(bones, f"{side}_{start}", f"{side}_{end}", 0.5)
    return bones


def test_bones_beside_the_limb_take_as_much_as_they_are_along_it() -> None:
    bones = straightened()
    for share in (0.25, 0.75):
        place = along(bones, "left_shoulder", "left_elbow", share)
        bones[f"left_upperarm_twist_{share}"] = Bone(place, "left_shoulder")
    bones["left_sleeve"] = Bone(along(bones, "left_shoulder", "left_elbow", 0.5), "left_shoulder")
    rest = rest_pose(bones)
    channels = solve(rest, SAME, twisting())
    turned = turns(rest, channels)
    axis = quat.unit(bones["left_elbow"].head - bones["left_shoulder"].head)
    for name, share in (("left_shoulder", 1.0), ("left_upperarm_twist_0.25", 0.25), ("left_upperarm_twist_0.75", 0.75)):
        np.testing.assert_allclose(angles(turned[name], axis), share * TWIST, atol=1e-3)
    assert "left_sleeve" not in {channel.bone for channel in channels.channels}
    elbow = heads(rest, channels)["left_elbow"]
    np.testing.assert_allclose(elbow, np.broadcast_to(elbow[0], elbow.shape), atol=1e-6)


def test_a_limb_that_is_followed_by_twist_bones_leaves_the_twist_to_them() -> None:
    bones = straightened()
    for number, share in ((1, 1.0 / 3.0), (2, 2.0 / 3.0)):
        place = along(bones, "right_hip", "right_knee", share)
        bones[f"right_thigh_{number}"] = Bone(place, "right_hip" if number == 1 else "right_thigh_1")
    bones["right_knee"].parent = "right_thigh_2"
    rest = rest_pose(bones)
    turned = turns(rest, solve(rest, SAME, twisting()))
    axis = quat.unit(bones["right_knee"].head - bones["right_hip"].head)
    for name, share in (("right_hip", 0.0), ("right_thigh_1", 0.5), ("right_thigh_2", 1.0), ("right_knee", 1.0)):
        np.testing.assert_allclose(angles(turned[name], axis), share * 0.5 * TWIST, atol=1e-3)


def test_a_full_turn_of_the_arm_does_not_wring_its_twist_bones() -> None:
    bones = straightened()
    bones["left_twist"] = Bone(along(bones, "left_shoulder", "left_elbow", 0.5), "left_shoulder")
    rest, motion = rest_pose(bones), twisting()
    rotations = motion.rotations.copy()
    rotations[:, INDEX["left_shoulder"]] = quat.about(X, 3.0 * TWIST)
    turned = turns(rest, solve(rest, SAME, replace(motion, rotations=rotations)))
    axis = quat.unit(bones["left_elbow"].head - bones["left_shoulder"].head)
    twist = angles(turned["left_twist"], axis)
    assert np.abs(np.diff(twist)).max() < 0.2
    assert np.degrees(np.ptp(twist)) <= 150.0 + 1e-6


PHALANGES = ("1", "2", "3")


def with_hands() -> dict[str, Bone]:
    """Three fingers and a thumb at each hand: palms down, fingers stretched, a bone beyond the last joint."""
    bones = straightened()
    for side, sign in (("left", 1.0), ("right", -1.0)):
        wrist = bones[f"{side}_wrist"].head
        for finger, ahead in (("index", -0.03), ("middle", 0.0), ("pinky", 0.03)):
            above = f"{side}_wrist"
            for number, step in enumerate((0.09, 0.13, 0.155, 0.175), start=1):
                name = f"{side}_{finger}_{number}"
                bones[name] = Bone(wrist + [sign * step, ahead, 0.0], above)
                above = name
        above = f"{side}_wrist"
        for number in (1, 2, 3):
            name = f"{side}_thumb_{number}"
            bones[name] = Bone(wrist + [sign * 0.02 * number, -0.02 - 0.015 * number, 0.0], above)
            above = name
    return bones


def standing() -> Motion:
    rotations = np.zeros((2, 22, 4))
    rotations[..., 0] = 1.0
    positions = forward_kinematics(rotations, np.tile(np.array([0.0, 0.9, 0.0]), (2, 1)))
    return Motion(20.0, positions, rotations.astype(np.float32), positions[:, 0].copy(), np.zeros((2, 4), np.float32))


def bends(rest: Any, fingers: Fingers, side: str, finger: str) -> Array:  # noqa: ANN401  (a rest pose)
    """Degrees that the joints of a finger are bent towards the floor, where palms look in the T-pose."""
    channels = solve(rest, SAME, standing(), options=Options(fingers=fingers))
    turned = turns(rest, channels)
    sign = 1.0 if side == "left" else -1.0
    found = []
    for before, bone in zip(("wrist", *(f"{finger}_{n}" for n in "12")), (f"{finger}_{n}" for n in "123"), strict=True):
        inner = quat.multiply(quat.conjugate(turned[f"{side}_{before}"][0]), turned[f"{side}_{bone}"][0])
        found.append(sign * np.degrees(2.0 * np.arctan2(inner[1:] @ Y, inner[0])))
    return np.array(found)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_fist_is_closed_a_relaxed_hand_half_and_a_flat_one_straight(side: str) -> None:
    rest = rest_pose(with_hands())
    for finger in ("index", "middle", "pinky"):
        fist, relaxed, flat = (
            bends(rest, kind, side, finger) for kind in (Fingers.FIST, Fingers.RELAXED, Fingers.FLAT)
        )
        np.testing.assert_allclose(flat, 0.0, atol=1e-3)
        assert (fist > relaxed + 20.0).all()
        assert (relaxed > 5.0).all()
        assert 200.0 < fist.sum() < 270.0
    tip = heads(rest, solve(rest, SAME, standing(), options=Options(fingers=Fingers.FIST)))
    index, wrist = tip[f"{side}_index_4"][0], tip[f"{side}_wrist"][0]
    open_tip = heads(rest, solve(rest, SAME, standing()))[f"{side}_index_4"][0]
    assert index[2] < wrist[2] - 0.005
    assert np.linalg.norm(index - wrist) < 0.75 * np.linalg.norm(open_tip - wrist)


def test_fingers_that_are_bent_at_rest_come_out_the_same() -> None:
    bones = with_hands()
    for number, drop in ((3, 0.012), (4, 0.03)):
        bones[f"left_index_{number}"].head = bones[f"left_index_{number}"].head - [0.004, 0.0, drop]
    rest = rest_pose(bones)
    place = heads(rest, solve(rest, SAME, standing(), options=Options(fingers=Fingers.FLAT)))
    points = np.array([place[f"left_index_{number}"][0] for number in (1, 2, 3, 4)])
    steps = quat.unit(np.diff(points, axis=0))
    assert np.degrees(np.arccos(np.clip(np.sum(steps[1:] * steps[:-1], axis=1), -1.0, 1.0))).max() < 0.1


def test_kept_fingers_get_no_keys_and_a_pose_is_one_key_each() -> None:
    rest = rest_pose(with_hands())
    kept = {channel.bone for channel in solve(rest, SAME, standing()).channels}
    assert not any("index" in bone or "thumb" in bone for bone in kept)
    posed = solve(rest, SAME, standing(), options=Options(fingers=Fingers.RELAXED)).channels
    fingers = [each for each in posed if "index" in each.bone or "thumb" in each.bone]
    assert {each.bone for each in fingers} >= {f"{side}_index_{n}" for side in ("left", "right") for n in PHALANGES}
    assert all(len(each.values) == 1 for each in fingers)
