# SPDX-License-Identifier: GPL-3.0-or-later
"""Features of official layouts become motion on our skeleton; the features are made here, from a figure by formula."""

from __future__ import annotations

import numpy as np
import pytest

from backend.motion import kit
from backend.motion.decoding import decoded, resampled, supported
from backend.motion.features import FeatureLayout
from backend.motion.rebuild import rebuilt
from backend.motion.rotations import forward_kinematics
from backend.motion.skeleton import CONTACT_JOINTS, INDEX, with_bone_lengths

KIT = FeatureLayout(21, fps=kit.FPS, unit=kit.UNIT)
T2M = FeatureLayout()
LEFT, RIGHT = [0, 1], [2, 3]


def figure(frames: int, fps: float) -> np.ndarray:
    """(T, 22, 3): walks along +Z at 1.2 m/s, swings its legs and lifts its left arm."""
    time = np.arange(frames) / fps
    rotations = np.zeros((frames, 22, 4))
    rotations[..., 0] = 1
    for joint, axis, angle in (
        ("left_hip", 1, 0.4 * np.sin(4 * time)),
        ("right_hip", 1, -0.4 * np.sin(4 * time)),
        ("left_shoulder", 3, 0.5 + 0.5 * np.sin(time)),
        ("right_shoulder", 3, np.full(frames, 1.2)),
    ):
        rotations[:, INDEX[joint], 0] = np.cos(angle / 2)
        rotations[:, INDEX[joint], axis] = np.sin(angle / 2)
    root = np.stack([np.zeros(frames), np.full(frames, 0.94), 1.2 * time], axis=1)
    return forward_kinematics(rotations, root).astype(np.float64)


def rows_of(layout: FeatureLayout, joints: np.ndarray, contacts: np.ndarray) -> np.ndarray:
    """Features of a figure that never turns, in the layout's units."""
    joints = joints / layout.unit
    rows = np.full((len(joints), layout.size), np.nan)  # decoding must not look at the rotations
    rows[:, 0] = 0
    rows[:-1, 1:3] = np.diff(joints[:, 0], axis=0)[:, [0, 2]]
    rows[-1, 1:3] = 0
    rows[:, 3] = joints[:, 0, 1]
    rows[:, layout.positions] = (joints[:, 1:] - joints[:, :1] * [1, 0, 1]).reshape(len(joints), -1)
    rows[:, layout.contacts] = contacts
    return rows


def kit_joints(positions: np.ndarray) -> np.ndarray:
    """Our figure as KIT-ML's features hold it: their joints, mirrored."""
    theirs = {name: positions[:, INDEX[ours]] for ours, name in kit.JOINT_MAP.items()}
    theirs |= {"BP": positions[:, INDEX["spine1"]], "BT": positions[:, INDEX["spine3"]]}
    for side, ankle in (("L", "left_ankle"), ("R", "right_ankle")):
        theirs[f"{side}Mrot"] = positions[:, INDEX[ankle]] - [0, 0.05, 0]
    return np.stack([theirs[name] for name in kit.JOINTS], axis=1) * [-1, 1, 1]


def test_the_starters_and_both_official_layouts_are_known() -> None:
    assert all(map(supported, (FeatureLayout(rotations=False), T2M, KIT)))
    assert not supported(FeatureLayout(21, rotations=False))
    assert not supported(FeatureLayout(25))


def test_t2m_features_are_our_joints() -> None:
    positions = figure(60, 20)
    contacts = np.tile([1.0, 0.0, 0.0, 0.5], (60, 1))
    found, levels = decoded(T2M, rows_of(T2M, positions, contacts), 60)
    np.testing.assert_allclose(found, positions, atol=1e-6)
    np.testing.assert_array_equal(levels, contacts)


@pytest.mark.parametrize("size", [0.8, 1.25])
def test_travel_and_height_follow_the_length_of_the_legs(size: float) -> None:
    positions = figure(60, 20)
    found, _ = decoded(T2M, rows_of(T2M, size * positions, np.zeros((60, 4))), 60)
    np.testing.assert_allclose(found, positions, atol=1e-6)


def test_a_kit_figure_comes_back_at_20_frames_a_second_the_right_way_round() -> None:
    contacts = np.tile([1.0, 0.9, 0.1, 0.0], (50, 1))
    found, levels = decoded(KIT, rows_of(KIT, kit_joints(figure(50, 12.5)), contacts), 79)
    expected = figure(79, 20)
    assert found.shape == (79, 22, 3)
    limbs = [INDEX[name] for name in kit.JOINT_MAP]
    np.testing.assert_allclose(found[:, limbs], expected[:, limbs], atol=0.01)
    # Its spine was cut elsewhere; on our bones it is ours.
    np.testing.assert_allclose(with_bone_lengths(found), expected, atol=0.03)
    # KIT-ML's first two contacts are those of joints 19 and 20, the person's right foot.
    np.testing.assert_allclose(levels[:, RIGHT], np.tile([1.0, 0.9], (79, 1)))
    np.testing.assert_allclose(levels[:, LEFT], np.tile([0.1, 0.0], (79, 1)), atol=1e-12)
    assert CONTACT_JOINTS[:2] == (INDEX["left_ankle"], INDEX["left_foot"])


def test_a_kit_figure_on_our_bones_lifts_the_same_arm_and_walks_as_far() -> None:
    rows = rows_of(KIT, kit_joints(figure(50, 12.5)), np.zeros((50, 4)))
    motion = rebuilt(*decoded(KIT, rows, 79), 20)
    expected = figure(79, 20)
    for joint in ("left_wrist", "right_wrist", "head"):
        distance = np.linalg.norm(motion.positions[:, INDEX[joint]] - expected[:, INDEX[joint]], axis=-1)
        assert distance.max() < 0.06
    assert motion.root[-1, 2] == pytest.approx(1.2 * 78 / 20, abs=0.02)


def test_resampling_is_exact_on_parabolas_and_holds_the_end() -> None:
    time = np.arange(20) / 12.5
    track = np.stack([3 * time**2 - time, np.ones(20)], axis=1)
    found = resampled(track, 12.5, 40)
    times = np.minimum(np.arange(40) / 20, time[-1])
    inner = (times > time[1]) & (times < time[-2])
    np.testing.assert_allclose(found[inner, 0], (3 * times**2 - times)[inner], atol=1e-9)
    np.testing.assert_allclose(found[:, 1], 1)
    np.testing.assert_allclose(found[-1], track[-1])
    np.testing.assert_array_equal(resampled(track[:1], 12.5, 3), track[[0, 0, 0]])


@pytest.mark.parametrize("frames", [16, 80, 196])
def test_lengths_in_frames_of_a_layout(frames: int) -> None:
    assert T2M.own_frames(frames) == frames
    assert KIT.own_frames(frames) == round(frames / 1.6)


@pytest.mark.parametrize(("fps", "unit"), [(0.0, 1.0), (float("nan"), 1.0), (20.0, 0.0), (20.0, -1.0)])
def test_nonsense_is_refused(fps: float, unit: float) -> None:
    with pytest.raises(ValueError, match="out of range"):
        FeatureLayout(fps=fps, unit=unit)
