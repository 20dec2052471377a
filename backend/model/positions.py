# SPDX-License-Identifier: GPL-3.0-or-later
"""Positions in time as vectors: the sinusoid of timesteps, and the learned tables of frame positions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from .config import PositionalInit


def sinusoid(positions: Tensor, width: int) -> Tensor:
    """(N,) positions -> (N, width): first half cosines, second half sines, frequencies 10000^(-k / (width / 2))."""
    half = width // 2
    frequencies = torch.exp(-math.log(10000.0) / half * torch.arange(half, device=positions.device))
    angles = positions[:, None].float() * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def position_table(frames: int, width: int, init: PositionalInit) -> nn.Parameter:
    """A learned table (frames, width), started from normal noise (official) or from the sinusoid."""
    return nn.Parameter(torch.randn(frames, width) if init == "random" else sinusoid(torch.arange(frames), width))
