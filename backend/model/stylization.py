# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylization: how the timestep modulates what a block adds to the frames."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Stylization(nn.Module):
    """Scale and shift of the normalised features by the time embedding, then a linear layer that starts at zero.

    Scale and shift depend on the time embedding alone, so they come from a method of their own, together with those of
    the normalisation: sampling tabulates them for all its timesteps at once.
    """

    def __init__(self, width: int, time_width: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(time_width, 2 * width)
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, width)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def modulate(self, time_embedding: Tensor) -> Tensor:
        """(..., E) -> (..., 2D): gain, then offset of features of mean 0 and variance 1."""
        scale, shift = self.modulation(functional.silu(time_embedding)).chunk(2, dim=-1)
        gain = 1 + scale
        return torch.cat([self.norm.weight * gain, torch.addcmul(shift, self.norm.bias, gain)], dim=-1)

    def forward(self, features: Tensor, modulation: Tensor) -> Tensor:
        """Features (B, T, D) and their modulation (B or 1, 2D) -> (B, T, D)."""
        gain, offset = modulation.to(features.dtype)[:, None].chunk(2, dim=-1)
        normalised = functional.layer_norm(features, self.norm.normalized_shape, eps=self.norm.eps)
        return self.output(functional.silu(torch.addcmul(offset, normalised, gain)))
