# SPDX-License-Identifier: GPL-3.0-or-later
"""The weights of the branches (official numbers: tests/backend/model/test_parity.py)."""

from __future__ import annotations

import numpy as np
import pytest

from backend.diffusion import mixture_weights
from backend.model import MixtureConfig

TIMESTEPS = np.array([0, 100, 101, 999])
COINS = np.array([[0, 1]] * 4)


@pytest.mark.parametrize("mixture", [MixtureConfig(), MixtureConfig.guidance(2.5)])
def test_weights_sum_to_one(mixture: MixtureConfig) -> None:
    np.testing.assert_allclose(mixture_weights(mixture, TIMESTEPS, COINS).sum(axis=2), 1.0)


def test_each_sample_follows_its_own_coin_on_coarse_steps() -> None:
    weights = mixture_weights(MixtureConfig(), TIMESTEPS, COINS)
    assert (weights[:2, 0] == weights[:2, 1]).all()
    np.testing.assert_allclose(weights[3], [[7.4935, 0, -6.4935, 0], [0, 7.4935, 0, -6.4935]])


def test_guidance_takes_both_against_none_and_ends_with_both_alone() -> None:
    weights = mixture_weights(MixtureConfig.guidance(2.0), TIMESTEPS, COINS)
    assert weights[:2].tolist() == [[[1, 0, 0, 0]] * 2] * 2
    np.testing.assert_allclose(weights[3], [[2.998, 0, 0, -1.998]] * 2)
