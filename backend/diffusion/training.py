# SPDX-License-Identifier: GPL-3.0-or-later
"""What a training step draws and what it minimises (paper section 3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def draw_kept_conditions(batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """(keep_text, keep_references), each (B,) bool: 81 % both, 9 % text alone, 9 % references alone, 1 % neither."""
    return kept_conditions(torch.randint(100, (batch,), generator=generator, device=generator.device))


def kept_conditions(codes: Tensor) -> tuple[Tensor, Tensor]:
    """Condition codes (B,) of 0..99 -> (keep_text, keep_references): every tenth code drops the text, those below ten
    drop the references."""
    return codes % 10 != 0, codes >= 10


def reconstruction_loss(predicted: Tensor, clean: Tensor, frame_mask: Tensor) -> Tensor:
    """Mean squared error of motions (B, T, F) over all features of all real frames; frame_mask (B, T)."""
    error = (predicted - clean).square().mean(dim=-1)
    return (error * frame_mask).sum() / frame_mask.sum()
