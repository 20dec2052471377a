# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole network: text encoder, retrieval encoder, denoiser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from .denoiser import Denoiser
from .reference_encoder import ReferenceEncoder
from .text_encoder import TextEncoder

if TYPE_CHECKING:
    from .conditions import ReferenceCondition, TextCondition
    from .config import ModelConfig


class ReMoDiffuse(nn.Module):
    """Retrieval-augmented motion diffusion (Zhang et al., ICCV 2023), without the frozen language model before it."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.text_encoder = TextEncoder(config)
        self.reference_encoder = ReferenceEncoder(config)
        self.denoiser = Denoiser(config)

    def encode_text(self, token_features: Tensor, token_mask: Tensor | None = None) -> TextCondition:
        """Token features (B, N, token_width) and their mask (B, N; true = real token; None = all) -> conditions."""
        return self.text_encoder(token_features, token_mask)

    def encode_references(
        self, motions: Tensor, lengths: Tensor, token_features: Tensor, token_mask: Tensor | None = None
    ) -> ReferenceCondition:
        """Retrieved clips -> conditions.

        Motions (B, R, M, F) are normalised like x0 and padded to any common M <= max_frames; lengths (B, R) in frames;
        caption token features (B, R, N, reference_token_width) and their mask (B, R, N; None = all real).
        """
        return self.reference_encoder(motions, lengths, token_features, token_mask)

    def forward(
        self,
        x_t: Tensor,
        timesteps: Tensor,
        frame_mask: Tensor,
        text: TextCondition,
        references: ReferenceCondition | None,
        keep_text: Tensor,
        keep_references: Tensor,
        aligned: Tensor | None = None,
    ) -> Tensor:
        """Predicts the clean motion (B, T, F), normalised, from a noisy one. For training; sampling: backend.diffusion.

        timesteps (B,) 0..999; frame_mask (B, T), true = real frame, T <= max_frames; keep_text and keep_references
        (B,) say which conditions a sample sees; `aligned` (B, T, F) is for `Denoiser.aligned_to`. What stands in padded
        frames has no influence on real ones.
        """
        conditions = self.denoiser.condition(text, references)
        if aligned is not None:
            conditions = self.denoiser.aligned_to(conditions, aligned)
        return self.denoiser(x_t, timesteps, frame_mask, conditions.kept(keep_text, keep_references))
