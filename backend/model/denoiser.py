# SPDX-License-Identifier: GPL-3.0-or-later
"""The denoiser: noisy motion, timestep and conditions -> clean motion (paper section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from .attention import SemanticsModulatedAttention, Summary, combine, read
from .conditions import BlockConditions, Conditioning, ReferenceCondition, TextCondition
from .feedforward import FeedForward
from .local_mixing import LocalMixing
from .positions import position_table, sinusoid
from .stylization import Stylization

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .config import ModelConfig


@dataclass(frozen=True, slots=True)
class Modulation:
    """Scale and shift (N, 2D) of the two stylizations of one block."""

    attention: Tensor
    feedforward: Tensor

    def rows(self, index: Tensor | int) -> Modulation:
        return Modulation(self.attention[index], self.feedforward[index])


class DenoiserBlock(nn.Module):
    """Semantics-modulated attention, then a stylized feed-forward network; optionally local mixing before them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.local_mixing = LocalMixing(config.width, config.local_mixing) if config.local_mixing else None
        self.attention = SemanticsModulatedAttention(config)
        self.attention_style = Stylization(config.width, config.time_width)
        self.feedforward = FeedForward(config.width, config.feedforward_width)
        self.feedforward_style = Stylization(config.width, config.time_width)

    def modulate(self, time_embedding: Tensor) -> Modulation:
        return Modulation(
            self.attention_style.modulate(time_embedding), self.feedforward_style.modulate(time_embedding)
        )

    def forward(
        self,
        frames: Tensor,
        mask: Tensor | None,
        conditions: Summary,
        modulation: Modulation,
        samples: Tensor | None = None,
    ) -> Tensor:
        """frames (B, T, D) -> (B, T, D), or (N, T, D) where `samples` (N,) spreads the batch into branches here."""
        if self.local_mixing is not None:
            frames = self.local_mixing(frames, mask)
        queries, own = self.attention.summarise_frames(frames, mask)
        if samples is not None:
            frames, queries, own = frames[samples], queries[samples], own.rows(samples)
        frames = frames + self.attention_style(read(queries, combine(conditions, own)), modulation.attention)
        return frames + self.feedforward_style(self.feedforward(frames), modulation.feedforward)


class Denoiser(nn.Module):
    """Predicts the clean motion x0. A fresh one predicts exactly zero."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, time_width = config.width, config.time_width
        self.width = width
        self.frame_projection = nn.Linear(config.features, width)
        self.positions = position_table(config.max_frames, width, config.positional_init)
        self.time_mlp = nn.Sequential(nn.Linear(width, time_width), nn.SiLU(), nn.Linear(time_width, time_width))
        self.blocks = nn.ModuleList(DenoiserBlock(config) for _ in range(config.layers))
        self.output = nn.Linear(width, config.features)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

        self.pooled_text = self.pooled_references = self.noise_gate = self.aligned_projection = None
        if config.pooled_condition:
            self.pooled_text = nn.Linear(config.text_width, time_width, bias=False)
            self.pooled_references = nn.Linear(2 * width, time_width, bias=False)
        if config.noise_skip:
            self.noise_gate = nn.Sequential(nn.SiLU(), nn.Linear(time_width, config.features))
            nn.init.zeros_(cast("nn.Linear", self.noise_gate[1]).weight)
            nn.init.zeros_(cast("nn.Linear", self.noise_gate[1]).bias)
        if config.aligned_reference:
            self.aligned_projection = nn.Linear(config.features, width)
            nn.init.zeros_(self.aligned_projection.weight)
            nn.init.zeros_(self.aligned_projection.bias)

    def condition(self, text: TextCondition, references: ReferenceCondition | None) -> Conditioning:
        """Everything about the conditions that no denoising step changes."""
        return Conditioning(
            text=tuple(block.attention.summarise_text(text) for block in self._blocks()),
            references=None
            if references is None
            else tuple(block.attention.summarise_references(references) for block in self._blocks()),
            pooled_text=None if self.pooled_text is None else self.pooled_text(text.mean()),
            pooled_references=None
            if self.pooled_references is None or references is None
            else self.pooled_references(references.mean()),
        )

    def aligned_to(self, conditions: Conditioning, references: Tensor) -> Conditioning:
        """The same conditions with one reference of each sample shown frame by frame: (B, T, F), normalised, as long as
        the clip. A model without that option does not look at them."""
        if self.aligned_projection is None:
            return conditions
        return replace(conditions, aligned=self.aligned_projection(references))

    def embed_time(self, timesteps: Tensor) -> Tensor:
        """(N,) timesteps on the schedule's original scale -> (N, E)."""
        return self.time_mlp(sinusoid(timesteps, self.width))

    def modulate(self, time_embedding: Tensor) -> tuple[Modulation, ...]:
        """Per block the scales and shifts that a time embedding (..., E) calls for."""
        return tuple(block.modulate(time_embedding) for block in self._blocks())

    def decode(
        self,
        x_t: Tensor,
        mask: Tensor | None,
        conditions: BlockConditions,
        modulation: tuple[Modulation, ...],
        samples: Tensor | None = None,
    ) -> Tensor:
        """Noisy motion (B, T, F) and the mask of its real frames (B, T; None = all) -> last hidden frames (B, T, D).

        With `samples` (N,) the result has one row per branch: row n continues sample `samples[n]`, and `conditions` and
        `modulation` have N rows. All branches of a sample share the work up to the first meeting with its conditions.
        """
        frames = self.frame_projection(x_t) + self.positions[: x_t.shape[1]]
        spread = samples
        if conditions.aligned is not None:
            # Branches with and without references differ from the first layer on.
            if spread is not None:
                frames, mask, spread = frames[spread], _spread(mask, spread), None
            frames = frames + conditions.aligned
        for block, source, style in zip(self._blocks(), conditions.sources, modulation, strict=True):
            frames = block(frames, mask, source, style, spread)
            if spread is not None:
                mask, spread = _spread(mask, spread), None
        return frames

    def project(self, frames: Tensor, x_t: Tensor, time_embedding: Tensor) -> Tensor:
        """Last hidden frames -> clean motion (B, T, F). Linear in `frames`, up to the bias: a mixture of branches whose
        weights sum to one may be projected once. `time_embedding` (B or 1, E) is that of the timestep alone."""
        clean = self.output(frames)
        return clean if self.noise_gate is None else torch.addcmul(clean, self.noise_gate(time_embedding)[:, None], x_t)

    def forward(self, x_t: Tensor, timesteps: Tensor, mask: Tensor, conditions: BlockConditions) -> Tensor:
        """x_t (B, T, F), timesteps (B,), mask (B, T; true = real frame) -> clean motion (B, T, F)."""
        time = self.embed_time(timesteps)
        modulation = self.modulate(time if conditions.pooled is None else time + conditions.pooled)
        return self.project(self.decode(x_t, mask, conditions, modulation), x_t, time)

    def _blocks(self) -> Iterable[DenoiserBlock]:
        return cast("Iterable[DenoiserBlock]", self.blocks)


def _spread(mask: Tensor | None, samples: Tensor) -> Tensor | None:
    return None if mask is None else mask[samples]
