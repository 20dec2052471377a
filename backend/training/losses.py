# SPDX-License-Identifier: GPL-3.0-or-later
"""The training objective: the paper's reconstruction loss, and two velocity losses against jitter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor

from ..motion import kit
from ..motion.skeleton import CONTACT_JOINTS, JOINTS
from .data.prepare import LAYOUT

if TYPE_CHECKING:
    from ..diffusion import Schedule
    from ..motion.features import FeatureLayout
    from .config import LossConfig


FLOOR: Final = 0.5
"""Weight of a timestep that is noise alone."""


class MotionLoss:
    """Loss of predicted against clean normalised motions (B, T, F)."""

    def __init__(
        self, config: LossConfig, deviation: Tensor, schedule: Schedule, layout: FeatureLayout = LAYOUT
    ) -> None:
        self.config, self.layout = config, layout
        weights = torch.ones(layout.size, device=deviation.device)
        weights[layout.root] = config.root
        weights[layout.contacts] = config.root
        self.weights = weights
        self.deviation = deviation
        # More for the nearly clean timesteps, where detail is decided, but bounded (min-SNR, Hang et al. 2023).
        ratio = schedule.signal / (1.0 - schedule.signal)
        weight = FLOOR + ratio.clip(max=config.ratio_limit) if config.ratio_limit else np.ones_like(ratio)
        self.timestep_weight = torch.from_numpy(weight).to(deviation)
        joints = CONTACT_JOINTS if layout.joints == len(JOINTS) else kit.CONTACT_JOINTS
        self._feet = [joint - 1 for joint in joints]  # the position block leaves out the pelvis

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

        with torch.no_grad():
            plain = (squared.mean(-1) * frame_mask).sum() / count
        if not self.config.local_velocity and not self.config.contact_velocity:
            return loss, plain

        # Differences of errors are errors of differences: one subtraction serves both sides.
        layout = self.layout
        change = self._metres(error, layout.positions).diff(dim=1) / self.config.velocity_unit
        both_real = frame_mask[:, 1:]
        loss = loss + self.config.local_velocity * (change.square().mean((-1, -2)) * per_sample[:, 1:]).sum() / count

        feet = change[:, :, self._feet]
        travel = self._metres(error, slice(1, 4))[:, :-1, 0, :2] / self.config.velocity_unit
        slide = feet[..., [0, 2]] + travel[:, :, None]
        # Normalised contacts lie about their mean: positive means standing.
        standing = (clean[..., layout.contacts] > 0.0)[:, 1:] & both_real[..., None]
        loss = loss + self.config.contact_velocity * (
            slide.square().mean(-1) * standing * per_sample[:, 1:, None]
        ).sum() / (4.0 * count)
        return loss, plain

    def _metres(self, normalised: Tensor, block: slice) -> Tensor:
        return (normalised[..., block] * (self.deviation[block] * self.layout.unit)).unflatten(-1, (-1, 3))
