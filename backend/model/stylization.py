# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylization: how the timestep modulates what a block adds to the frames."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Stylization(nn.Module):
    """Scale and shift of the normalised features by the time embedding, then a linear layer that starts at zero.

    Scale and shift depend on the time embedding alone, so they come from a method of their own: sampling tabulates them
    for all its timesteps at once.
    """

    def __init__(self, width: int, time_width: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(time_width, 2 * width)
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, width)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def modulate(self, time_embedding: Tensor) -> Tensor:
        """(..., E) -> (..., 2D): scale, then shift."""
        return self.modulation(functional.silu(time_embedding))

    def forward(self, features: Tensor, modulation: Tensor) -> Tensor:
        """Features (B, T, D) and their modulation (B or 1, 2D) -> (B, T, D)."""
        scale, shift = modulation[:, None].chunk(2, dim=-1)
        return self.output(functional.silu(self.norm(features) * (1 + scale) + shift))
