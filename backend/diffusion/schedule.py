# SPDX-License-Identifier: GPL-3.0-or-later
"""The noise schedule, and which of its timesteps sampling keeps. All numbers are float64 and stay off the device."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, repeat
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ..model.config import DiffusionConfig


FAST_STEPS: Final = 15
"""Timesteps of a fast schedule from pure noise; one that begins later has its share of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """A sequence of timesteps, ascending, on the scale that the network was trained on.

    `timesteps` (S,) and `signal` (S,), alpha-bar of each: the share of the clean motion's variance in x_t. `order` of
    the solver that follows them: 1 is DDIM, 2 corrects each step by the change since the step before.
    """

    timesteps: NDArray[np.int64]
    signal: NDArray[np.float64]
    order: int = 1

    @classmethod
    def training(cls, config: DiffusionConfig) -> Self:
        """Every timestep."""
        betas = np.linspace(config.beta_start, config.beta_end, config.steps)
        return cls(np.arange(config.steps), np.cumprod(1.0 - betas, dtype=np.float64))

    @classmethod
    def sampling(cls, config: DiffusionConfig) -> Self:
        """The timesteps that `config.sections` keeps."""
        full = cls.training(config)
        kept = kept_timesteps(config.steps, config.sections)
        return cls(full.timesteps[kept], full.signal[kept])

    @classmethod
    def fast(cls, config: DiffusionConfig, top: int | None = None) -> Self:
        """Few timesteps from `top` (default: the last) to 0, for a solver of second order.

        They are equally spaced in log_ratio, where that solver's error is even (Lu et al. 2022, DPM-Solver++).
        """
        full = cls.training(config)
        last = len(full) - 1 if top is None else top
        ratios = full.log_ratio[: last + 1]
        share = (ratios[0] - ratios[-1]) / np.ptp(full.log_ratio)
        wanted = np.linspace(ratios[0], ratios[-1], 1 + round((FAST_STEPS - 1) * share))
        kept = np.unique(np.abs(ratios - wanted[:, None]).argmin(axis=1))
        return cls(full.timesteps[kept], full.signal[kept], order=2)

    def __len__(self) -> int:
        return len(self.timesteps)

    @property
    def log_ratio(self) -> NDArray[np.float64]:
        """(S,) half the logarithm of signal to noise, the lambda of DPM-Solver; falls with the timestep."""
        return 0.5 * np.log(self.signal / (1.0 - self.signal))

    @property
    def signal_before(self) -> NDArray[np.float64]:
        """(S,) alpha-bar after the denoising step from each timestep; 1 before the first, a clean motion."""
        return np.append(1.0, self.signal[:-1])

    @property
    def betas(self) -> NDArray[np.float64]:
        """(S,) noise variance that each step of this sequence adds."""
        return 1.0 - self.signal / self.signal_before

    @property
    def fixed_large_variance(self) -> NDArray[np.float64]:
        """(S,) variance of an ancestral (DDPM) step: beta; for the first step the posterior variance of the second."""
        betas = self.betas
        posterior = betas * (1.0 - self.signal_before) / (1.0 - self.signal)
        return np.append(posterior[1], betas[1:])

    def index(self, timestep: int) -> int:
        """The place of the last kept timestep <= `timestep`; the first where there is none."""
        return max(int(np.searchsorted(self.timesteps, timestep, side="right")) - 1, 0)

    def noised(self, clean: Tensor, noise: Tensor, index: Tensor) -> Tensor:
        """x_t = sqrt(signal) x_0 + sqrt(1 - signal) noise for motions (B, T, F), at the places `index` (B,)."""
        table = torch.from_numpy(np.sqrt([self.signal, 1.0 - self.signal]).astype(np.float32)).to(clean)
        keep, add = table[:, index, None, None]
        return keep * clean + add * noise

    def ddim_step(self, x_t: Tensor, clean: Tensor, index: int) -> Tensor:
        """From x_t at the place `index` and the prediction of x_0 to x at the place before (DDIM, eta = 0).

        Song et al. 2021, eq. 12, solved for x_t and x_0: the noise in x_t shrinks to what the earlier timestep has.
        """
        now, before = float(self.signal[index]), float(self.signal_before[index])
        shrink = ((1.0 - before) / (1.0 - now)) ** 0.5
        return shrink * x_t + (before**0.5 - shrink * now**0.5) * clean

    def correction(self, index: int) -> float:
        """What share of the last change of the prediction a step of second order adds to the prediction before it
        takes the DDIM step: DPM-Solver++(2M), Lu et al. 2022, algorithm 2. No share in the last step, to no noise.
        """
        if self.order == 1 or index == 0:
            return 0.0
        ahead, here, behind = self.log_ratio[index - 1 : index + 2]
        return float((ahead - here) / (here - behind) / 2.0)


def kept_timesteps(steps: int, sections: tuple[int, ...]) -> NDArray[np.int64]:
    """Cuts 0..steps-1 into equal sections and keeps in each so many timesteps, equally spaced from end to end.

    (1000, (15, 15, 8, 6, 6)) keeps 50. A remainder of the division goes to the first sections, one timestep each.
    """
    size, remainder = divmod(steps, len(sections))
    kept: list[int] = []
    start = 0
    for number, count in enumerate(sections):
        length = size + (number < remainder)
        stride = (length - 1) / (count - 1) if count > 1 else 1.0
        # A running sum, not multiples: its rounding error decides ties (99 or 100) as it does in the official schedule.
        offsets = accumulate(repeat(stride, count - 1), initial=0.0)
        kept += [start + round(offset) for offset in offsets]
        start += length
    return np.array(kept)
