# SPDX-License-Identifier: GPL-3.0-or-later
"""What a text encoder makes of texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """Features of B texts, float32, on the CPU.

    `tokens` (B, N, token_dim), rows beyond a text's end are 0; `mask` (B, N) bool is true for real ones;
    `sentence` (B, D) has unit length: its dot products are the cosines of retrieval.
    """

    tokens: Tensor
    mask: Tensor
    sentence: Tensor

    @classmethod
    def batch(cls, tokens: Sequence[Tensor], sentences: Sequence[Tensor]) -> Self:
        """Put texts of different lengths together: `tokens` B times (n, token_dim), `sentences` B times (D,)."""
        mask = pad_sequence([torch.ones(len(rows), dtype=torch.bool) for rows in tokens], batch_first=True)
        return cls(pad_sequence(list(tokens), batch_first=True), mask, torch.stack(list(sentences)))
