# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest
from gaits import gait

from backend.motion.skeleton import BONE_LENGTHS, INDEX, PARENTS
from backend.training.data import augment
from backend.training.measures import Measures

WALK = gait(80, speed=1.2, swing=0.5)[0].astype(np.float64)


def bone_lengths(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(positions[:, 1:] - positions[:, list(PARENTS[1:])], axis=-1)


def test_the_mirror_image_exchanges_sides_and_twice_is_once() -> None:
    mirrored = augment.mirrored(WALK)
    assert np.allclose(mirrored[:, INDEX["left_knee"]], WALK[:, INDEX["right_knee"]] * [-1, 1, 1])
    assert np.array_equal(augment.mirrored(mirrored), WALK)


def test_a_reversed_walk_goes_backward() -> None:
    assert Measures(WALK).forward > 3
    assert Measures(augment.reversed_in_time(WALK)).forward < -3


@pytest.mark.parametrize("degrees", [90, -120])
def test_a_curved_walk_turns_and_keeps_its_bones(degrees: float) -> None:
    curved = augment.curved(WALK, degrees)
    assert Measures(curved).turn == pytest.approx(degrees, abs=5)
    assert Measures(curved).path == pytest.approx(Measures(WALK).path, rel=0.03)
    assert np.allclose(bone_lengths(curved), BONE_LENGTHS[1:], atol=1e-9)


def test_a_cycle_is_found_and_repeated_without_a_jump() -> None:
    longer = augment.looped(WALK, 180)
    assert longer is not None
    assert len(longer) == 180
    assert Measures(longer).forward == pytest.approx(1.2 * 9, rel=0.1)
    step = np.linalg.norm(np.diff(longer, axis=0), axis=-1).max()
    assert step < 1.3 * np.linalg.norm(np.diff(WALK, axis=0), axis=-1).max()


def test_what_never_repeats_is_not_looped() -> None:
    rng = np.random.default_rng(0)
    restless = WALK + np.cumsum(rng.normal(0, 0.15, (len(WALK), 22, 3)), axis=0)
    assert augment.looped(restless, 150) is None


def test_an_arm_can_come_from_another_clip() -> None:
    wave = WALK.copy()
    wave[:, INDEX["right_wrist"]] = wave[:, INDEX["right_elbow"]] + [0, 0.25, 0]
    both = augment.with_arm(WALK, wave, "right")
    assert np.allclose(both[:, INDEX["right_wrist"]], wave[:, INDEX["right_wrist"]], atol=1e-6)
    others = [joint for name, joint in INDEX.items() if name not in ("right_elbow", "right_wrist")]
    assert np.array_equal(both[:, others], WALK[:, others])


def test_two_clips_in_a_row_go_on_from_place_and_heading() -> None:
    row = augment.in_sequence(augment.curved(WALK, 90), WALK)
    assert len(row) > 110
    # Up to a second of the curve may be left out where the poses meet.
    assert 60 < Measures(row).turn < 95
    assert np.linalg.norm(np.diff(row[:, 0], axis=0), axis=-1).max() < 0.12
