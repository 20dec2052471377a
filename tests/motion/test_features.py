# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest
from real_motion import JUMP, RUN, TURNS, WALK, needs_mocap, real_positions

from backend.motion.features import FeatureLayout, heading, smooth
from backend.motion.skeleton import rest_positions

LAYOUT = FeatureLayout(rotations=False)


def turned(positions: np.ndarray, yaw: float) -> np.ndarray:
    cos, sin = np.cos(yaw), np.sin(yaw)
    return positions @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]).T


def placed(positions: np.ndarray) -> np.ndarray:
    """Frame 0 over the origin, facing +Z: what decoding gives back."""
    return turned(positions - positions[:1, :1] * [1, 0, 1], -heading(positions)[0])


def test_sizes_are_those_of_humanml3d_kit_and_ours() -> None:
    assert FeatureLayout(22).size == 263
    assert FeatureLayout(21).size == 251
    assert LAYOUT.size == 137


@needs_mocap
@pytest.mark.parametrize("clip", [WALK, TURNS, JUMP, RUN])
def test_real_motion_comes_back_within_a_micrometre(clip: str) -> None:
    positions = real_positions(clip)
    contacts = np.zeros((len(positions), 4))
    decoded, _ = LAYOUT.decode(LAYOUT.encode(positions, contacts))
    assert np.abs(decoded - placed(positions)).max() < 1e-6


def test_place_and_heading_on_the_ground_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    positions = rest_positions() + np.cumsum(rng.normal(0, 0.01, (40, 22, 3)), axis=0)
    elsewhere = turned(positions, 2.0) + [3.0, 0.0, -5.0]
    contacts = rng.random((40, 4))
    assert np.allclose(LAYOUT.encode(positions, contacts), LAYOUT.encode(elsewhere, contacts), atol=1e-9)


def test_heading_is_positive_to_the_left_and_unwrapped() -> None:
    yaw = np.linspace(0, 4 * np.pi, 100)
    positions = np.stack([turned(rest_positions(), angle) for angle in yaw])
    assert heading(positions)[50] == pytest.approx(yaw[50], abs=0.01)
    # +X is the body's left: a quarter turn to the left faces +X.
    assert heading(np.stack([turned(rest_positions(), np.pi / 2)] * 5))[0] == pytest.approx(np.pi / 2)


def test_the_official_rotation_block_lies_between_positions_and_velocities() -> None:
    official = FeatureLayout(22)
    assert official.positions == slice(4, 67)
    assert official.velocities == slice(193, 259)
    assert official.contacts == slice(259, 263)
    with pytest.raises(ValueError, match="rotation"):
        official.encode(np.zeros((4, 22, 3)), np.zeros((4, 4)))


def test_smoothing_keeps_a_constant_and_halves_a_step_in_its_middle() -> None:
    track = np.concatenate([np.zeros((30, 2)), np.ones((30, 2))])
    assert np.allclose(smooth(np.full((20, 3), 7.0), 3.0), 7.0)
    assert smooth(track, 2.0)[29:31].mean() == pytest.approx(0.5)
