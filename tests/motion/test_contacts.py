# SPDX-License-Identifier: GPL-3.0-or-later
"""Feet that stand stay where they are; feet in the air are left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from real_motion import JUMP, RUN, TURNS, WALK, needs_mocap, real_positions

from backend.motion.contacts import detect_contacts, lock_feet
from backend.motion.rotations import forward_kinematics, rotations_from_positions
from backend.motion.skeleton import CONTACT_JOINTS, INDEX, PARENTS, TOE_HEIGHT, rest_positions

Array = NDArray[Any]
FPS = 20.0


def standing(frames: int = 40) -> Array:
    """(T, 22, 3): a person who stands with a little bend in the knees."""
    positions = np.repeat(rest_positions()[None], frames, axis=0)
    for side in ("left", "right"):
        positions[:, INDEX[f"{side}_knee"], 2] += 0.06
    return positions


def canonical(clip: str) -> Array:
    """A real clip on the canonical skeleton, standing on the floor."""
    source = real_positions(clip)
    positions = forward_kinematics(rotations_from_positions(source), source[:, 0]).astype(float)
    positions[..., 1] += TOE_HEIGHT - np.percentile(positions[:, [10, 11], 1].min(axis=1), 5)
    return positions


def slide(positions: Array, contacts: Array) -> Array:
    """Speeds, metres a second along the floor, of foot points while in contact."""
    speeds = np.linalg.norm(np.diff(positions[:, list(CONTACT_JOINTS)][..., [0, 2]], axis=0), axis=-1) * FPS
    held = (contacts[1:] > 0.6) & (contacts[:-1] > 0.6)
    return speeds[held]


def test_standing_is_contact_and_flying_is_not() -> None:
    assert detect_contacts(standing(), FPS).min() > 0.9
    assert detect_contacts(standing() + [0.0, 0.3, 0.0], FPS).max() < 0.1
    sliding = standing() + np.arange(40)[:, None, None] * [0.05, 0.0, 0.0]
    assert detect_contacts(sliding, FPS).max() < 0.1


def test_a_sliding_foot_is_held() -> None:
    positions = standing()
    drift = np.linspace(0.0, 0.08, 40)[:, None]
    for joint in ("left_ankle", "left_foot"):
        positions[:, INDEX[joint]] += drift * [1.0, 0.0, 0.0]
    locked = lock_feet(positions, np.ones((40, 4)), FPS)
    assert slide(locked, np.ones((40, 4))).max() < 0.002
    np.testing.assert_array_equal(locked[:, INDEX["head"]], positions[:, INDEX["head"]].astype(np.float32))


def test_a_foot_in_the_air_is_not_pulled_down() -> None:
    positions = standing()
    for joint in ("left_knee", "left_ankle", "left_foot"):
        positions[:, INDEX[joint]] += [0.0, 0.3, 0.15]
    locked = lock_feet(positions, np.ones((40, 4)), FPS)
    assert np.abs(locked - positions).max() < 1e-3


def test_feet_below_the_floor_come_up() -> None:
    positions = standing()
    dip = 0.05 * np.sin(np.linspace(0.0, np.pi, 40))[:, None]
    positions -= dip[:, None] * [0.0, 1.0, 0.0]
    locked = lock_feet(positions, np.zeros((40, 4)) + [[0.0, 0.0, 0.0, 1.0]], FPS)
    assert locked[..., 1].min() > TOE_HEIGHT - 1e-4


@needs_mocap
@pytest.mark.parametrize("clip", [WALK, TURNS, JUMP, RUN])
def test_real_feet_stand_still_and_keep_their_path(clip: str) -> None:
    positions = canonical(clip)
    contacts = detect_contacts(positions, FPS)
    locked = lock_feet(positions, contacts, FPS)
    assert slide(locked, contacts).mean() < 0.02
    assert locked[:, [10, 11], 1].min() > TOE_HEIGHT - 1e-3
    way, before = (np.linalg.norm(p[-1, 0, [0, 2]] - p[0, 0, [0, 2]]) for p in (locked, positions))
    assert abs(way - before) < 0.03 * before
    parents = list(PARENTS[1:])
    for one in (positions, locked):
        lengths = np.linalg.norm(one[:, 1:] - one[:, parents], axis=-1)
        assert np.ptp(lengths, axis=0).max() < 1e-3


@needs_mocap
@pytest.mark.parametrize("clip", [WALK, TURNS, RUN])
def test_locking_twice_changes_next_to_nothing(clip: str) -> None:
    positions = canonical(clip)
    contacts = detect_contacts(positions, FPS)
    once = lock_feet(positions, contacts, FPS)
    twice = lock_feet(once, contacts, FPS)
    assert np.linalg.norm(twice - once, axis=-1)[:, list(CONTACT_JOINTS)].mean() < 0.002
