# SPDX-License-Identifier: GPL-3.0-or-later
"""The trained head that turns token features of a frozen language model into text conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from .conditions import TextCondition

if TYPE_CHECKING:
    from .config import ModelConfig


class TokenTransformer(nn.Module):
    """A post-norm transformer over token features, projected first where their width differs.

    It has no positions of its own: the language model's features carry them.
    """

    def __init__(self, token_width: int, width: int, layers: int, heads: int, feedforward_width: int) -> None:
        super().__init__()
        self.projection = nn.Linear(token_width, width) if token_width != width else nn.Identity()
        layer = nn.TransformerEncoderLayer(
            width, heads, feedforward_width, dropout=0.0, activation="gelu", batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, token_features: Tensor, mask: Tensor | None) -> Tensor:
        """(B, N, token width), mask (B, N; true = real token) or None -> (B, N, D)."""
        padding = None if mask is None else ~mask
        return self.encoder(self.projection(token_features), src_key_padding_mask=padding)


class TextEncoder(nn.Module):
    """Token features of the prompts -> text conditions."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.transformer = TokenTransformer(
            config.token_width,
            config.text_width,
            config.text_layers,
            config.text_heads,
            config.text_feedforward_width,
        )
        self.norm = nn.LayerNorm(config.text_width)

    def forward(self, token_features: Tensor, mask: Tensor | None) -> TextCondition:
        return TextCondition(self.norm(self.transformer(token_features, mask)), mask)
