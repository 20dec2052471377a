# SPDX-License-Identifier: GPL-3.0-or-later
"""A small network of the real classes with random weights, and random inputs for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend.diffusion import Schedule, take_coins, take_noise
from backend.model import DiffusionConfig, ModelConfig, ReferenceCondition, ReMoDiffuse, TextCondition

CONFIG = ModelConfig(
    features=11,
    max_frames=24,
    width=32,
    heads=4,
    layers=2,
    feedforward_width=48,
    time_width=40,
    token_width=20,
    text_width=16,
    text_heads=2,
    text_feedforward_width=24,
    reference_heads=4,
    reference_feedforward_width=48,
    reference_token_width=20,
    diffusion=DiffusionConfig(sections=(3, 2, 2)),
)
OPTIONS: dict[str, Any] = {
    "local_mixing": 5,
    "pooled_condition": True,
    "positional_init": "sinusoidal",
    "caption_position": "first",
    "noise_skip": True,
    "aligned_reference": True,
}
LENGTHS = (20, 13, 7)
FRAMES = max(LENGTHS)


def random_network(config: ModelConfig = CONFIG, seed: int = 0) -> ReMoDiffuse:
    """For evaluation, every weight random: what starts as zero would hide whatever comes before it."""
    torch.manual_seed(seed)
    network = ReMoDiffuse(config).eval()
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(torch.randn_like(weights), alpha=0.1)
    return network


@dataclass
class Inputs:
    """Three samples of different lengths, with everything that training and sampling take."""

    x_t: Tensor
    timesteps: Tensor
    mask: Tensor
    tokens: Tensor
    token_mask: Tensor
    motions: Tensor
    lengths: Tensor
    captions: Tensor
    caption_mask: Tensor
    aligned: Tensor

    @classmethod
    def random(cls, config: ModelConfig = CONFIG, seed: int = 1) -> Inputs:
        torch.manual_seed(seed)
        batch, references, tokens = len(LENGTHS), 2, 6
        return cls(
            x_t=torch.randn(batch, FRAMES, config.features),
            timesteps=torch.tensor([999, 400, 3]),
            mask=real(torch.tensor(LENGTHS), FRAMES),
            tokens=torch.randn(batch, tokens, config.token_width),
            token_mask=real(torch.tensor([6, 4, 2]), tokens),
            motions=torch.randn(batch, references, config.max_frames, config.features),
            lengths=torch.tensor([[24, 17], [9, 16], [5, 24]]),
            captions=torch.randn(batch, references, tokens, config.reference_token_width),
            caption_mask=real(torch.tensor([[6, 3], [2, 5], [4, 6]]), tokens),
            aligned=torch.randn(batch, FRAMES, config.features),
        )

    def conditions(self, network: ReMoDiffuse) -> tuple[TextCondition, ReferenceCondition]:
        text = network.encode_text(self.tokens, self.token_mask)
        return text, network.encode_references(self.motions, self.lengths, self.captions, self.caption_mask)

    def predict(self, network: ReMoDiffuse, *, keep_text: bool = True, keep_references: bool = True) -> Tensor:
        """The network's prediction; all samples keep the same conditions."""
        kept = torch.full((len(self.x_t),), keep_text), torch.full((len(self.x_t),), keep_references)
        return network(self.x_t, self.timesteps, self.mask, *self.conditions(network), *kept, self.aligned)


@dataclass
class Draws:
    """Schedule, noise and coins of three takes."""

    schedule: Schedule
    noise: Tensor
    coins: np.ndarray

    @classmethod
    def of(cls, config: ModelConfig = CONFIG, seeds: tuple[int, ...] = (5, 6, 7)) -> Draws:
        schedule = Schedule.sampling(config.diffusion)
        noise = np.stack([take_noise(seed, FRAMES, config.features) for seed in seeds])
        return cls(schedule, torch.from_numpy(noise), take_coins(seeds, len(schedule)))


def real(lengths: Tensor, rows: int) -> Tensor:
    """Mask (..., rows), true for the first `lengths` (...) rows."""
    return torch.arange(rows) < lengths[..., None]
