# SPDX-License-Identifier: GPL-3.0-or-later
"""The feed-forward network of the reference encoder and of the denoiser."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class FeedForward(nn.Module):
    """Linear, GELU, linear; no normalisation before it; starts as zero. The caller adds the residual."""

    def __init__(self, width: int, hidden_width: int) -> None:
        super().__init__()
        self.expand = nn.Linear(width, hidden_width)
        self.contract = nn.Linear(hidden_width, width)
        nn.init.zeros_(self.contract.weight)
        nn.init.zeros_(self.contract.bias)

    def forward(self, frames: Tensor) -> Tensor:
        return self.contract(functional.gelu(self.expand(frames)))
