# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations rebuilt from positions: exact, calm, and the same whichever way the body faces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from real_motion import JUMP, RUN, TURNS, WALK, needs_mocap, real_positions

from backend.motion import quaternions as quat
from backend.motion.rotations import forward_kinematics, rotations_from_positions, world_rotations
from backend.motion.skeleton import BONE_LENGTHS, INDEX, PARENTS, rest_positions

Array = NDArray[Any]
X, Y, Z = np.eye(3)


def posed(**turns: tuple[Array, float]) -> Array:
    """Positions (1, 22, 3) of one pose: joint -> axis and degrees against the T-pose."""
    rotations = np.zeros((1, 22, 4))
    rotations[..., 0] = 1.0
    for joint, (axis, degrees) in turns.items():
        rotations[0, INDEX[joint]] = quat.about(axis, np.radians(degrees))
    return forward_kinematics(rotations, np.array([[0.0, 0.94, 0.0]]))


def steps(rotations: Array) -> Array:
    """Degrees (T - 1, 22) that each joint turns in the world from frame to frame."""
    world = world_rotations(rotations)
    return np.degrees(quat.angle(quat.multiply(quat.conjugate(world[1:]), world[:-1])))


def direction_steps(positions: Array) -> Array:
    """Degrees (T - 1, 21) that each bone's direction turns from frame to frame."""
    bones = quat.unit(positions[:, 1:] - positions[:, list(PARENTS[1:])])
    across = np.linalg.norm(np.cross(bones[1:], bones[:-1]), axis=-1)
    return np.degrees(np.arctan2(across, np.sum(bones[1:] * bones[:-1], axis=-1)))


def test_the_rest_pose_has_no_rotation() -> None:
    rotations = rotations_from_positions(rest_positions()[None])
    np.testing.assert_allclose(rotations, np.tile([1.0, 0.0, 0.0, 0.0], (1, 22, 1)), atol=1e-6)


@pytest.mark.parametrize(
    ("joint", "axis", "degrees"),
    [
        ("left_elbow", -Y, 80.0),
        ("right_elbow", Y, 80.0),
        ("left_knee", X, 95.0),
        ("pelvis", Y, 170.0),
        ("left_ankle", X, -25.0),
        ("neck", Y, 0.0),
    ],
)
def test_a_single_turn_is_found_again(joint: str, axis: Array, degrees: float) -> None:
    # Elbows and knees a little bent, so that their planes are known.
    pose = {"left_elbow": (-Y, 40.0), "right_elbow": (Y, 40.0), "left_knee": (X, 40.0), "right_knee": (X, 40.0)}
    pose[joint] = (axis, degrees)
    rotations = rotations_from_positions(posed(**pose))
    expected = np.zeros((22, 4))
    expected[:, 0] = 1.0
    for name, (about, angle) in pose.items():
        expected[INDEX[name]] = quat.about(about, np.radians(angle))
    error = quat.angle(quat.multiply(quat.conjugate(rotations[0].astype(float)), expected))
    assert np.degrees(error).max() < 1.0


def test_bones_get_the_canonical_lengths() -> None:
    stretched = posed(left_knee=(X, 30.0), right_shoulder=(Z, 40.0)).astype(float)
    stretched[:, INDEX["left_ankle"]] += [0.1, -0.2, 0.05]
    again = forward_kinematics(rotations_from_positions(stretched), stretched[:, 0])
    lengths = np.linalg.norm(again[:, 1:] - again[:, list(PARENTS[1:])], axis=-1)
    np.testing.assert_allclose(lengths, BONE_LENGTHS[None, 1:], atol=1e-6)


def test_a_leg_that_straightens_keeps_its_knee_in_front() -> None:
    bend = np.concatenate((np.linspace(60.0, -4.0, 30), np.linspace(-4.0, 60.0, 30)))
    positions = np.concatenate([posed(left_knee=(X, angle), left_hip=(X, -0.5 * angle)) for angle in bend])
    rotations = rotations_from_positions(positions)
    assert steps(rotations).max() < 4.0
    knee_axis = quat.rotate(world_rotations(rotations)[:, INDEX["left_hip"]], X)
    assert (knee_axis @ X).min() > 0.98


@needs_mocap
@pytest.mark.parametrize("clip", [WALK, TURNS, JUMP, RUN])
def test_real_motion_keeps_its_bone_directions(clip: str) -> None:
    positions = real_positions(clip)
    again = forward_kinematics(rotations_from_positions(positions), positions[:, 0]).astype(float)
    # Hips and collars are held by pelvis and chest; every other bone points exactly where it did.
    free = [j for j in range(1, 22) if PARENTS[j] not in (INDEX["pelvis"], INDEX["spine3"]) or j == INDEX["neck"]]
    parents = [PARENTS[j] for j in free]
    before, after = (quat.unit(p[:, free] - p[:, parents]) for p in (positions, again))
    np.testing.assert_allclose(after, before, atol=1e-4)


@needs_mocap
@pytest.mark.parametrize("clip", [WALK, TURNS, JUMP, RUN])
def test_real_motion_never_flips(clip: str) -> None:
    positions = real_positions(clip)
    limbs = {"left_hip": "left_knee", "left_knee": "left_ankle", "left_shoulder": "left_elbow"}
    limbs |= {"left_elbow": "left_wrist", "left_ankle": "left_foot"}
    limbs |= {a.replace("left", "right"): b.replace("left", "right") for a, b in limbs.items()}
    twist = steps(rotations_from_positions(positions))[:, [INDEX[joint] for joint in limbs]]
    source = direction_steps(positions)[:, [INDEX[child] - 1 for child in limbs.values()]]
    assert (twist - source).max() < 30.0


@needs_mocap
@pytest.mark.parametrize("yaw", range(45, 360, 45))
def test_facing_turns_the_pelvis_and_nothing_else(yaw: int) -> None:
    positions = real_positions(TURNS)
    straight = rotations_from_positions(positions)
    turned = rotations_from_positions(quat.rotate(quat.about(Y, np.radians(yaw)), positions))
    difference = quat.angle(quat.multiply(quat.conjugate(straight[:, 1:]), turned[:, 1:]))
    assert np.degrees(difference).max() < 0.1


@needs_mocap
def test_signs_are_continuous() -> None:
    rotations = rotations_from_positions(real_positions(JUMP))
    assert np.sum(rotations[1:] * rotations[:-1], axis=-1).min() > 0.0
