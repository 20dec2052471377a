# SPDX-License-Identifier: GPL-3.0-or-later
"""The condition mixture: how much of each branch goes into the prediction of each denoising step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..model.config import MixtureConfig

BRANCHES: Final = ("both", "text", "retrieval", "none")
KEEPS_TEXT: Final = (True, True, False, False)
KEEPS_REFERENCES: Final = (True, False, True, False)


def mixture_weights(
    mixture: MixtureConfig, timesteps: NDArray[np.int64], coins: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Weights (S, B, 4) of the branches, in the order of BRANCHES, for timesteps (S,) and coins (S, B) of 0 and 1.

    They sum to 1. See MixtureConfig for the rules; coins of fine steps, and all coins under `guidance`, are ignored.
    """
    extrapolation = 1.0 + mixture.coarse_scale * timesteps / 1000.0
    pair = np.zeros((*coins.shape, 4))
    conditioned, unconditioned = _coarse_pair(mixture, coins)
    np.put_along_axis(pair, conditioned[..., None], extrapolation[:, None, None], axis=2)
    np.put_along_axis(pair, unconditioned[..., None], 1.0 - extrapolation[:, None, None], axis=2)
    known = (mixture.both, mixture.text, mixture.retrieval)
    fine = np.array([*known, 1.0 - sum(known)])
    return np.where((timesteps > mixture.fine_limit)[:, None, None], pair, fine)


def leaning(weights: NDArray[np.float64], balance: float) -> NDArray[np.float64]:
    """The weights (S, B, 4) with a share of `both` given to `text` (balance -1: all of it) or to `retrieval` (1)."""
    if balance == 0.0:
        return weights
    both, text, retrieval, _ = range(4)
    leant = weights.copy()
    leant[..., both] *= 1.0 - abs(balance)
    leant[..., text if balance < 0.0 else retrieval] += abs(balance) * weights[..., both]
    return leant


def _coarse_pair(mixture: MixtureConfig, coins: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The branches (S, B) between which coarse steps extrapolate: (towards, away from)."""
    both, text, retrieval, none = range(4)
    if mixture.rule == "guidance":
        return np.full_like(coins, both), np.full_like(coins, none)
    return np.where(coins == 0, both, text), np.where(coins == 0, retrieval, none)
