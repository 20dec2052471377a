# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest
from gaits import gait, gait_clip

from backend.library.fit import fitted
from backend.motion.sequence import in_sequence, looped
from backend.training.data.augment import curved
from backend.training.measures import Measures
from backend.training.quality import Quality

WALK = gait(80, speed=1.2, swing=0.5)[0].astype(np.float64)


def test_a_cycle_is_found_and_repeated_without_a_jump() -> None:
    longer = looped(WALK, 180)
    assert longer is not None
    assert 180 <= len(longer) < 240
    assert Measures(longer[:180]).forward == pytest.approx(1.2 * 9, rel=0.1)
    step = np.linalg.norm(np.diff(longer, axis=0), axis=-1).max()
    assert step < 1.3 * np.linalg.norm(np.diff(WALK, axis=0), axis=-1).max()


def test_what_never_repeats_is_not_looped() -> None:
    rng = np.random.default_rng(0)
    restless = WALK + np.cumsum(rng.normal(0, 0.15, (len(WALK), 22, 3)), axis=0)
    assert looped(restless, 150) is None


def test_a_loop_slides_no_more_than_the_clip() -> None:
    longer = looped(WALK, 180)
    assert longer is not None
    assert Quality.of(longer).skate < 1.1 * Quality.of(WALK).skate


def test_a_reference_that_is_too_short_goes_on_walking() -> None:
    clip = gait_clip("a person walks forward", 70)
    positions, contacts = fitted(clip.positions, clip.contacts, 180)
    assert len(positions) == len(contacts) == 180
    assert Measures(positions.astype(np.float64)[120:]).forward > 2.5


def test_two_clips_in_a_row_go_on_from_place_and_heading() -> None:
    row = in_sequence(curved(WALK, 90), WALK)
    assert len(row) > 110
    # Up to a second of the curve may be left out where the poses meet.
    assert 60 < Measures(row).turn < 95
    assert np.linalg.norm(np.diff(row[:, 0], axis=0), axis=-1).max() < 0.12
