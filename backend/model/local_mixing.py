# SPDX-License-Identifier: GPL-3.0-or-later
"""Local temporal mixing, an option for models trained on little data; the official architecture has none."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LocalMixing(nn.Module):
    """A depthwise convolution over time, residual, starting at zero.

    Global attention alone leaves jitter unless it sees much data; a few neighbouring frames give a small model the
    notion of continuity.
    """

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(kernel, width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, frames: Tensor, neighbours: Tensor) -> Tensor:
        """frames (B, T, D) and the index table of `neighbouring_frames` -> (B, T, D)."""
        length = frames.shape[1]
        padded = frames.gather(1, neighbours[:, :, None].expand(-1, -1, frames.shape[2]))
        mixed = frames + self.bias
        for offset, weight in enumerate(self.weight):
            mixed = torch.addcmul(mixed, padded[:, offset : offset + length], weight)
        return mixed


def neighbouring_frames(mask: Tensor, kernel: int) -> Tensor:
    """(B, T + kernel - 1) frame indices that pad a clip at both ends by repeating its first and its last real frame."""
    frames = mask.shape[1]
    reach = kernel // 2
    positions = torch.arange(-reach, frames + reach, device=mask.device)
    last = (mask.sum(dim=1, keepdim=True) - 1).clamp(min=0)
    return positions.clamp(min=0).minimum(last)
