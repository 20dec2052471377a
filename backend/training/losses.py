# SPDX-License-Identifier: GPL-3.0-or-later
"""The training objective: the paper's reconstruction loss, and two velocity losses against jitter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from ..motion.skeleton import CONTACT_JOINTS
from .data.prepare import LAYOUT

if TYPE_CHECKING:
    from ..diffusion import Schedule
    from .config import LossConfig


FLOOR: Final = 0.5
"""Weight of a timestep that is noise alone."""


class MotionLoss:
    """Loss of predicted against clean normalised motions (B, T, 137)."""

    def __init__(self, config: LossConfig, deviation: Tensor, schedule: Schedule) -> None:
        self.config = config
        weights = torch.ones(LAYOUT.size, device=deviation.device)
        weights[LAYOUT.root] = config.root
        weights[LAYOUT.contacts] = config.root
        self.weights = weights
        self.deviation = deviation
        # More for the nearly clean timesteps, where detail is decided, but bounded (min-SNR, Hang et al. 2023).
        ratio = schedule.signal / (1.0 - schedule.signal)
        weight = torch.from_numpy(FLOOR + ratio.clip(max=config.ratio_limit))
        self.timestep_weight = weight.to(deviation)

    def __call__(
        self,
        predicted: Tensor,
        clean: Tensor,
        frame_mask: Tensor,
        timesteps: Tensor,
        count: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """(loss to minimise, plain mean squared error for the log).

        `count`: the real frames that the sums are divided by, where these samples are only part of a batch.
        """
        error = predicted - clean
        squared = error.square()
        per_sample = self.timestep_weight[timesteps][:, None] * frame_mask
        count = frame_mask.sum() if count is None else count
        loss = ((squared * self.weights).mean(-1) * per_sample).sum() / count

        # Differences of errors are errors of differences: one subtraction serves both sides.
        change = self._metres(error, LAYOUT.positions).diff(dim=1) / self.config.velocity_unit
        both_real = frame_mask[:, 1:]
        loss = loss + self.config.local_velocity * (change.square().mean((-1, -2)) * per_sample[:, 1:]).sum() / count

        feet = change[:, :, _FEET]
        travel = (error[..., LAYOUT.root] * self.deviation[LAYOUT.root])[:, :-1, 1:3] / self.config.velocity_unit
        slide = feet[..., [0, 2]] + travel[:, :, None]
        # Normalised contacts lie about their mean: positive means standing.
        standing = (clean[..., LAYOUT.contacts] > 0.0)[:, 1:] & both_real[..., None]
        loss = loss + self.config.contact_velocity * (
            slide.square().mean(-1) * standing * per_sample[:, 1:, None]
        ).sum() / (4.0 * count)
        with torch.no_grad():
            plain = (squared.mean(-1) * frame_mask).sum() / count
        return loss, plain

    def _metres(self, normalised: Tensor, block: slice) -> Tensor:
        return (normalised[..., block] * self.deviation[block]).unflatten(-1, (-1, 3))


_FEET: Final = [joint - 1 for joint in CONTACT_JOINTS]  # the position block leaves out the pelvis
