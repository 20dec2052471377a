# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
from gaits import gait

from backend.motion.floor import TOLERANCE, above_floor
from backend.motion.rebuild import rebuilt
from backend.motion.skeleton import FPS

POSITIONS, CONTACTS = gait(80, 1.2, 0.5)
GROUNDED = POSITIONS.astype(np.float64) - [0, POSITIONS[..., 1].min(), 0]


def test_motion_above_the_floor_is_left_alone() -> None:
    assert above_floor(GROUNDED) is GROUNDED


def test_what_sinks_is_lifted_and_nothing_else_changes() -> None:
    sinking = GROUNDED.copy()
    sinking[30:50, :, 1] -= 0.5 * np.sin(np.linspace(0, np.pi, 20))[:, None]
    lifted = above_floor(sinking)
    assert lifted[..., 1].min() >= -TOLERANCE - 1e-9
    np.testing.assert_array_equal(lifted[..., [0, 2]], sinking[..., [0, 2]])
    np.testing.assert_allclose(np.diff(lifted, axis=1), np.diff(sinking, axis=1), atol=1e-12)
    np.testing.assert_array_equal(lifted[:20], sinking[:20])
    lift = (lifted - sinking)[:, 0, 1]
    assert np.abs(np.diff(lift)).max() < 0.08  # no pop: half a metre comes and goes over a second


def test_no_take_stays_below_the_floor() -> None:
    motion = rebuilt(GROUNDED - [0, 0.4, 0], CONTACTS, FPS)
    assert motion.positions[..., 1].min() > -0.03
