# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random

import numpy as np
import pytest
from gaits import gait

from backend.motion.skeleton import BONE_LENGTHS, INDEX, PARENTS
from backend.training.data.gestures import Gesture, gestures, performed
from backend.training.measures import Measures

WALK = gait(100, speed=1.2, swing=0.5)[0].astype(np.float64)
for side in ("left", "right"):
    for joint, drop in (("elbow", 0.27), ("wrist", 0.52)):  # arms that hang down
        WALK[:, INDEX[f"{side}_{joint}"]] = WALK[:, INDEX[f"{side}_shoulder"]] - [0, drop, 0]
ARMS = [INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("elbow", "wrist")]
every_gesture = pytest.mark.parametrize("gesture", gestures(), ids=lambda gesture: gesture.name)


@every_gesture
def test_bones_keep_their_lengths_and_the_body_goes_on(gesture: Gesture) -> None:
    motion = performed(WALK, gesture, random.Random(1))
    lengths = np.linalg.norm(motion[:, 1:] - motion[:, list(PARENTS[1:])], axis=-1)
    np.testing.assert_allclose(lengths, np.broadcast_to(BONE_LENGTHS[1:], lengths.shape), atol=1e-5)
    others = [joint for joint in range(22) if joint not in ARMS]
    np.testing.assert_array_equal(motion[:, others], WALK[:, others])


@every_gesture
def test_it_begins_and_ends_as_the_body_was_and_never_pops(gesture: Gesture) -> None:
    motion = performed(WALK, gesture, random.Random(2))
    np.testing.assert_allclose(motion[[0, -1]][:, ARMS], WALK[[0, -1]][:, ARMS], atol=0.05)
    assert np.abs(motion[50] - WALK[50])[ARMS].max() > 0.1
    assert np.linalg.norm(np.diff(motion[:, ARMS], axis=0), axis=-1).max() < 0.35  # 7 m/s, a hard clap


def test_a_wave_is_one_and_its_words_say_which_hand() -> None:
    wave = next(gesture for gesture in gestures() if gesture.name == "wave_right")
    assert Measures(performed(WALK, wave, random.Random(3), throughout=True)).waves("right")
    assert any("right hand" in text for text in wave.texts)
    assert not any("left" in text for text in wave.texts)
