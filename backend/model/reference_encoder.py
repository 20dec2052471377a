# SPDX-License-Identifier: GPL-3.0-or-later
"""The retrieval encoder: motions and captions of retrieved clips -> reference conditions (paper section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from .attention import SelfAttention
from .conditions import ReferenceCondition
from .feedforward import FeedForward
from .positions import position_table
from .text_encoder import TokenTransformer

if TYPE_CHECKING:
    from .config import ModelConfig


class MotionBlock(nn.Module):
    """Linear self-attention over the frames of a reference, then a feed-forward network."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention = SelfAttention(config.width, config.reference_heads)
        self.feedforward = FeedForward(config.width, config.reference_feedforward_width)

    def forward(self, frames: Tensor, mask: Tensor, stride: int) -> Tensor:
        """frames (N, M, D), mask (N, M) -> every `stride`-th frame."""
        frames = self.attention(frames, mask, stride)
        return frames + self.feedforward(frames)


class ReferenceEncoder(nn.Module):
    """Encodes all frames of a reference, hands on every `reference_stride`-th, and one token of its caption."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.stride = config.reference_stride
        self.caption_position = 0 if config.caption_position == "first" else -1
        self.motion_projection = nn.Linear(config.features, config.width)
        self.positions = position_table(config.max_frames, config.width, config.positional_init)
        self.motion_blocks = nn.ModuleList(MotionBlock(config) for _ in range(config.reference_motion_layers))
        self.caption_encoder = TokenTransformer(
            config.reference_token_width,
            config.width,
            config.reference_text_layers,
            config.reference_heads,
            config.reference_feedforward_width,
        )

    def forward(
        self, motions: Tensor, lengths: Tensor, token_features: Tensor, token_mask: Tensor | None
    ) -> ReferenceCondition:
        """motions (B, R, M, F), lengths (B, R), token features (B, R, N, .) with mask (B, R, N) -> conditions."""
        batch, _, frames, _ = motions.shape
        mask = torch.arange(frames, device=motions.device) < lengths[..., None]
        encoded = self.encode_motions(motions.flatten(0, 1), mask.flatten(0, 1)).unflatten(0, (batch, -1))
        tokens = self.caption_encoder(
            token_features.flatten(0, 1), None if token_mask is None else token_mask.flatten(0, 1)
        )
        return ReferenceCondition(
            motion=encoded,
            mask=mask[:, :, :: self.stride],
            caption=tokens[:, self.caption_position].unflatten(0, (batch, -1)),
        )

    def encode_motions(self, motions: Tensor, mask: Tensor) -> Tensor:
        """motions (N, M, F), mask (N, M) -> every `stride`-th frame encoded (N, M', D).

        Only the last block leaves frames out: those before it need all of them for the next one's keys and values.
        """
        frames = self.motion_projection(motions) + self.positions[: motions.shape[1]]
        for number, block in enumerate(self.motion_blocks, start=1):
            frames = block(frames, mask, self.stride if number == len(self.motion_blocks) else 1)
        return frames
