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


def test_an_arm_can_come_from_another_clip() -> None:
    wave = WALK.copy()
    wave[:, INDEX["right_wrist"]] = wave[:, INDEX["right_elbow"]] + [0, 0.25, 0]
    both = augment.with_arm(WALK, wave, "right")
    assert np.allclose(both[:, INDEX["right_wrist"]], wave[:, INDEX["right_wrist"]], atol=1e-6)
    others = [joint for name, joint in INDEX.items() if name not in ("right_elbow", "right_wrist")]
    assert np.array_equal(both[:, others], WALK[:, others])
