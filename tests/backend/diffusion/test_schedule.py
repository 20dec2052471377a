# SPDX-License-Identifier: GPL-3.0-or-later
"""The noise schedule (its numbers against the official ones: tests/backend/model/test_parity.py)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backend.diffusion import Schedule, kept_timesteps
from backend.diffusion.schedule import FAST_STEPS
from backend.model import DiffusionConfig

SAMPLING = Schedule.sampling(DiffusionConfig())


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(0, 50))
def test_kept_timesteps_are_distinct_and_reach_the_end(sections: list[int], spare: int) -> None:
    steps = max(sections) * len(sections) + spare
    kept = kept_timesteps(steps, tuple(sections))
    assert len(kept) == sum(sections)
    assert kept[0] == 0
    assert (np.diff(kept) > 0).all()
    assert kept[-1] < steps
    assert sections[-1] == 1 or kept[-1] == steps - 1


def test_ddim_with_the_true_motion_follows_the_forward_process() -> None:
    clean, noise = torch.randn(2, 2, 5, 3)
    for index in (0, 1, 20, 49):
        x_t = SAMPLING.noised(clean, noise, torch.tensor([index, index]))
        expected = SAMPLING.noised(clean, noise, torch.tensor([index - 1, index - 1])) if index else clean
        torch.testing.assert_close(SAMPLING.ddim_step(x_t, clean, index), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("timestep", "kept"), [(999, 999), (500, 485), (99, 99), (98, 85), (0, 0), (-5, 0)])
def test_a_start_finds_the_last_kept_timestep_before_it(timestep: int, kept: int) -> None:
    assert SAMPLING.timesteps[SAMPLING.index(timestep)] == kept


@pytest.mark.parametrize("top", [None, 500, 200, 1, 0])
def test_a_fast_schedule_begins_where_it_should_and_ends_without_noise(top: int | None) -> None:
    fast = Schedule.fast(DiffusionConfig(), top)
    assert fast.timesteps[0] == 0
    assert fast.timesteps[-1] == (999 if top is None else top)
    assert (np.diff(fast.timesteps) > 0).all()
    assert len(fast) <= FAST_STEPS
    if top is None:
        assert len(fast) == FAST_STEPS


@pytest.mark.parametrize(("order", "rate"), [(1, 1.5), (2, 3.0)])
def test_twice_the_steps_of_second_order_leave_a_quarter_of_the_error(order: int, rate: float) -> None:
    """For clean ~ N(0, s^2) the best prediction is linear in x_t, and the exact result is x times a known factor."""
    spread = 0.5

    def error(steps: int) -> float:
        full = Schedule.training(DiffusionConfig())
        ratios = np.linspace(full.log_ratio[0], full.log_ratio[-1], steps)
        signal = 1.0 / (1.0 + np.exp(-2.0 * ratios))
        schedule = Schedule(np.arange(steps), signal, order)
        x = torch.ones(1, dtype=torch.float64)
        clean = None
        for index in reversed(range(1, steps)):
            gain = signal[index] ** 0.5 * spread**2 / (signal[index] * spread**2 + 1.0 - signal[index])
            before, clean = clean, gain * x
            guess = clean if before is None else clean + schedule.correction(index) * (clean - before)
            x = schedule.ddim_step(x, guess, index)
        variance = signal * spread**2 + 1.0 - signal
        return abs(float(x) - (variance[0] / variance[-1]) ** 0.5)

    assert error(40) / error(80) > rate
