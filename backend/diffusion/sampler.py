# SPDX-License-Identifier: GPL-3.0-or-later
"""DDIM sampling with a condition mixture.

Exact shortcuts, all equal to evaluating four branches from scratch at each step: what depends on the prompt alone is
summarised once; scales and shifts of all timesteps are tabulated; only branches with a weight are evaluated; branches
of one sample share the work before its conditions enter; and the mixture is taken before the output layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from .mixture import KEEPS_REFERENCES, KEEPS_TEXT, leaning, mixture_weights
from .pace import paced

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from ..model import Conditioning, Denoiser, MixtureConfig
    from .schedule import Schedule


@dataclass(frozen=True, slots=True)
class Start:
    """A clean motion (B, T, F; normalised) to start from, noised to the last kept timestep <= `timestep`."""

    motion: Tensor
    timestep: int


@torch.inference_mode()
def sample(
    denoiser: Denoiser,
    conditions: Conditioning,
    frame_mask: Tensor,
    noise: Tensor,
    coins: NDArray[np.int64],
    schedule: Schedule,
    mixture: MixtureConfig,
    start: Start | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    balance: float = 0.0,
    agree: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Clean motions (B, T, F), normalised, from noise (B, T, F) by deterministic steps: DDIM (eta = 0), or of second
    order where the schedule says so.

    frame_mask (B, T), true = real frame; coins (S, B) for the schedule's timesteps (see `randomness`). A take depends
    on its own noise, coins and conditions only, not on the rest of the batch. `progress(step, steps)` is called before
    the first step and after each; an exception that it raises ends the sampling. `balance` as in `mixture.leaning`;
    `agree` brings each predicted clean motion into agreement with what is known of it, see `editing`.
    """
    weights = leaning(mixture_weights(mixture, schedule.timesteps, coins), balance)
    steps = len(schedule)
    x = noise
    if start is not None:
        steps = schedule.index(start.timestep) + 1
        x = schedule.noised(start.motion, noise, torch.full((len(noise),), steps - 1, device=noise.device))
    predict = MixedDenoiser(denoiser, conditions, frame_mask, schedule.timesteps[:steps], weights[:steps])

    if progress is not None:
        progress(0, steps)
    clean = None
    with paced(x.device) as pace:
        for done, index in enumerate(reversed(range(steps)), start=1):
            with pace((x.shape, predict.branches(index))):
                before, clean = clean, predict(x, index)
            clean = clean if agree is None else agree(clean)
            guess = clean
            if before is not None and (share := schedule.correction(index)):
                # Only what the same branches said before can be continued.
                same = (weights[index] != 0) == (weights[index + 1] != 0)
                shares = torch.from_numpy(np.where(same.all(axis=1), share, 0.0)).to(clean)
                guess = torch.addcmul(clean, shares[:, None, None], clean - before)
            x = schedule.ddim_step(x, guess, index)
            if progress is not None:
                progress(done, steps)
    return x


class MixedDenoiser:
    """The mixture of the branches' predictions, for some timesteps (S,) with weights (S, B, 4)."""

    def __init__(
        self,
        denoiser: Denoiser,
        conditions: Conditioning,
        frame_mask: Tensor,
        timesteps: NDArray[np.int64],
        weights: NDArray[np.float64],
    ) -> None:
        device = frame_mask.device
        samples, branches = np.nonzero((weights != 0).any(axis=0))
        self._denoiser = denoiser
        # Looked at once, here, so that no step has to wait for the device.
        self._mask = None if frame_mask.all() else frame_mask
        self._conditions = conditions.rows(torch.from_numpy(samples).to(device)).kept(
            torch.tensor(KEEPS_TEXT, device=device)[branches],
            torch.tensor(KEEPS_REFERENCES, device=device)[branches],
        )
        self._time = denoiser.embed_time(torch.from_numpy(timesteps).to(device))
        pooled = self._conditions.pooled
        self._modulation = denoiser.modulate(self._time[:, None] if pooled is None else self._time[:, None] + pooled)
        self._steps = [_Step.plan(step[samples, branches], samples, len(frame_mask), device) for step in weights]

    def branches(self, index: int) -> int:
        """How many branches that step evaluates, of all takes together."""
        return len(self._steps[index].rows)

    def __call__(self, x_t: Tensor, index: int) -> Tensor:
        """x_t (B, T, F) at `timesteps[index]` -> mixed prediction of the clean motion (B, T, F), float32."""
        step = self._steps[index]
        modulation = tuple(block.rows(index) for block in self._modulation)
        if self._conditions.pooled is not None:
            modulation = tuple(block.rows(step.rows) for block in modulation)
        frames = self._denoiser.decode(
            x_t, self._mask, self._conditions.rows(step.rows), modulation, samples=step.samples
        )
        mixed = (frames.unflatten(0, (len(x_t), -1)) * step.weights).sum(dim=1)
        return self._denoiser.project(mixed, x_t, self._time[index : index + 1]).float()


@dataclass(frozen=True, slots=True)
class _Step:
    """The branches that one denoising step evaluates: k of each sample, so N = B k in all.

    `rows` (N,) into the rows of the conditions, `samples` (N,) that they belong to, and their `weights` (B, k, 1, 1).
    """

    rows: Tensor
    samples: Tensor
    weights: Tensor

    @classmethod
    def plan(cls, weights: NDArray[np.float64], samples: NDArray[np.int64], batch: int, device: torch.device) -> _Step:
        """`weights` (rows,) of this step and the `samples` (rows,) that all rows belong to, in ascending order."""
        rows = np.flatnonzero(weights)
        # A mixture gives all samples of a step equally many branches; only which ones may differ.
        shares = weights[rows].reshape(batch, -1, 1, 1).astype(np.float32)
        return cls(*(torch.from_numpy(part).to(device) for part in (rows, samples[rows], shares)))
