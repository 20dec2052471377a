# SPDX-License-Identifier: GPL-3.0-or-later
"""A model folder of the real classes, small and with random weights: it moves, but means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from gaits import CAPTIONS, gait

from backend.model import DiffusionConfig, MixtureConfig, ModelConfig, ReMoDiffuse
from backend.model_card import ModelCard, SamplerConfig
from backend.model_folder import save_model
from backend.motion.features import FeatureLayout
from backend.text.minilm import NAME

if TYPE_CHECKING:
    from pathlib import Path

LAYOUT = FeatureLayout(rotations=False)
CONFIG = ModelConfig(
    features=LAYOUT.size,
    width=32,
    heads=4,
    layers=2,
    feedforward_width=32,
    time_width=32,
    token_width=768,
    text_width=32,
    text_layers=1,
    text_heads=2,
    text_feedforward_width=32,
    reference_motion_layers=1,
    reference_text_layers=1,
    reference_heads=4,
    reference_feedforward_width=32,
    reference_token_width=768,
    diffusion=DiffusionConfig(sections=(4, 4)),
    mixture=MixtureConfig.guidance(2.5),
    local_mixing=5,
    pooled_condition=True,
)


def random_network(config: ModelConfig = CONFIG) -> ReMoDiffuse:
    """Every weight random: what starts as zero in training would make all outputs zero."""
    torch.manual_seed(0)
    network = ReMoDiffuse(config)
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(torch.randn_like(weights), alpha=0.1)
    return network


def save_random_model(
    folder: Path, start_timestep: int = 500, *, half: bool = True, config: ModelConfig = CONFIG
) -> ModelCard:
    rows = np.concatenate([LAYOUT.encode(*gait(80, *kind)) for kind in CAPTIONS.values()])
    card = ModelCard(
        name="random",
        version="1",
        licence="CC0-1.0",
        encoder=NAME,
        config=config,
        layout=LAYOUT,
        sampler=SamplerConfig(start_timestep=start_timestep),
        training={"hours": 0, "data": ["none"], "say": 'a "quoted" word, ümlauts\nand a second line'},
    )
    mean, deviation = rows.mean(0), np.maximum(rows.std(0), 0.02)
    return save_model(
        folder,
        card,
        random_network(config).state_dict(),
        torch.from_numpy(mean),
        torch.from_numpy(deviation),
        half=half,
    )
