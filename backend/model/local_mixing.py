# SPDX-License-Identifier: GPL-3.0-or-later
"""Local temporal mixing, an option for models trained on little data; the official architecture has none."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LocalMixing(nn.Module):
    """A depthwise convolution over time, residual, starting at zero.

    Global attention alone leaves jitter unless it sees much data; a few neighbouring frames give a small model the
    notion of continuity. Both ends of a clip are continued by its first and its last real frame.
    """

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(kernel, width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, frames: Tensor, mask: Tensor | None) -> Tensor:
        """frames (B, T, D), mask (B, T) true for a clip's first real frames (None = all are) -> (B, T, D)."""
        padded = _continue_ends(frames, mask, len(self.weight) // 2)
        mixed = frames + self.bias
        for offset, weight in enumerate(self.weight):
            mixed = torch.addcmul(mixed, padded[:, offset : offset + frames.shape[1]], weight)
        return mixed


def _continue_ends(frames: Tensor, mask: Tensor | None, reach: int) -> Tensor:
    """(B, T + 2 reach, D): `reach` frames more at either end, and the last real frame in place of all padding."""
    first, last = frames[:, :1], frames[:, -1:]
    if mask is not None:
        last_index = (mask.sum(dim=1) - 1).clamp(min=0)
        last = frames[torch.arange(len(frames), device=frames.device), last_index][:, None]
        frames = torch.where(mask[..., None], frames, last)
    return torch.cat([first.expand(-1, reach, -1), frames, last.expand(-1, reach, -1)], dim=1)
