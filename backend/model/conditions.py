# SPDX-License-Identifier: GPL-3.0-or-later
"""What guides the denoiser: encoded text, encoded references, and both as the denoiser's blocks read them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .attention import Summary, combine


@dataclass(frozen=True, slots=True)
class TextCondition:
    """Encoded prompts: `tokens` (B, N, Lt) and `mask` (B, N), true for real tokens; None = all are real."""

    tokens: Tensor
    mask: Tensor | None = None

    def mean(self) -> Tensor:
        """(B, Lt): the mean of the real tokens."""
        if self.mask is None:
            return self.tokens.mean(dim=1)
        return _masked_mean(self.tokens, self.mask)


@dataclass(frozen=True, slots=True)
class ReferenceCondition:
    """Encoded references: `motion` (B, R, M', D), its `mask` (B, R, M'; true = real frame), `caption` (B, R, D)."""

    motion: Tensor
    mask: Tensor
    caption: Tensor

    def motion_and_caption(self) -> Tensor:
        """(B, R, M', 2D): each motion row beside the caption of its clip."""
        return torch.cat([self.motion, self.caption[:, :, None].expand_as(self.motion)], dim=-1)

    def mean(self) -> Tensor:
        """(B, 2D): the mean of the real rows of all references, captions included."""
        return _masked_mean(self.motion_and_caption().flatten(1, 2), self.mask.flatten(1, 2))


@dataclass(frozen=True, slots=True)
class Conditioning:
    """Text and references as the denoiser reads them: what does not change from one denoising step to the next.

    Per block a summary of the text and one of the references (None where a model samples without any); the pooled
    vectors (B, E) that join the time embedding and the aligned reference (B, T, D) that joins the noisy frames (None
    unless the model has those options).
    """

    text: tuple[Summary, ...]
    references: tuple[Summary, ...] | None
    pooled_text: Tensor | None
    pooled_references: Tensor | None
    aligned: Tensor | None = None

    def rows(self, index: Tensor) -> Conditioning:
        """The conditions of some samples; an index (N,) may name a sample several times."""
        return Conditioning(
            text=tuple(summary.rows(index) for summary in self.text),
            references=None if self.references is None else tuple(summary.rows(index) for summary in self.references),
            pooled_text=None if self.pooled_text is None else self.pooled_text[index],
            pooled_references=None if self.pooled_references is None else self.pooled_references[index],
            aligned=None if self.aligned is None else self.aligned[index],
        )

    def repeated(self, count: int) -> Conditioning:
        """The conditions of the first sample, `count` times: several takes of one prompt."""
        return self.rows(torch.zeros(count, dtype=torch.long, device=self.text[0].context.device))

    def kept(self, keep_text: Tensor, keep_references: Tensor) -> BlockConditions:
        """What is left when each sample keeps its text and its references or not; both (B,) bool."""
        sources = [summary.kept(keep_text) for summary in self.text]
        if self.references is not None:
            kept = [summary.kept(keep_references) for summary in self.references]
            sources = [combine(text, references) for text, references in zip(sources, kept, strict=True)]
        pooled = [
            vectors * keep[:, None]
            for vectors, keep in ((self.pooled_text, keep_text), (self.pooled_references, keep_references))
            if vectors is not None
        ]
        aligned = None if self.aligned is None else self.aligned * keep_references[:, None, None]
        return BlockConditions(tuple(sources), sum(pooled[1:], pooled[0]) if pooled else None, aligned)


@dataclass(frozen=True, slots=True)
class BlockConditions:
    """Per block one summary of all conditions that a sample keeps; `pooled` (B, E) joins the time embedding, `aligned`
    (B, T, D) the noisy frames."""

    sources: tuple[Summary, ...]
    pooled: Tensor | None
    aligned: Tensor | None = None

    def rows(self, index: Tensor) -> BlockConditions:
        """The conditions of some samples."""
        return BlockConditions(
            tuple(source.rows(index) for source in self.sources),
            None if self.pooled is None else self.pooled[index],
            None if self.aligned is None else self.aligned[index],
        )


def _masked_mean(rows: Tensor, mask: Tensor) -> Tensor:
    weights = mask[..., None].to(rows.dtype)
    return (rows * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
