# SPDX-License-Identifier: GPL-3.0-or-later
"""All chance in sampling, drawn from each take's own seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def take_noise(seed: int, frames: int, features: int) -> NDArray[np.float32]:
    """(T, F) standard normal start noise of one take, the same on every device. A longer take starts with the noise of
    a shorter one."""
    return _stream(seed, 0).standard_normal((frames, features), dtype=np.float32)


def take_coins(seeds: Sequence[int], steps: int) -> NDArray[np.int64]:
    """(S, B) coins, one column for each take's seed."""
    return np.stack([_stream(seed, 1).integers(0, 2, steps) for seed in seeds], axis=1)


def _stream(seed: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose,)))
