# SPDX-License-Identifier: GPL-3.0-or-later
"""A training run that takes seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from gaits import CAPTIONS, gait

from backend.model.config import ModelConfig
from backend.training.config import RunConfig, TrainingConfig
from backend.training.data.prepare import LAYOUT, TrainingSet

if TYPE_CHECKING:
    from pathlib import Path

SMALL = ModelConfig(
    features=LAYOUT.size,
    width=32,
    heads=4,
    layers=1,
    feedforward_width=32,
    time_width=32,
    token_width=768,
    text_width=32,
    text_layers=1,
    text_feedforward_width=32,
    reference_motion_layers=1,
    reference_text_layers=1,
    reference_heads=4,
    reference_feedforward_width=32,
    reference_token_width=768,
    local_mixing=3,
    pooled_condition=True,
    caption_position="first",
)


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    """Sixty windows of five gaits."""
    rows, captions, groups, sources = [], [], [], []
    for number in range(60):
        caption, (speed, swing) = list(CAPTIONS.items())[number % len(CAPTIONS)]
        rows.append(LAYOUT.encode(*gait(40 + number, speed * (1 + number / 200), swing)))
        captions.append([caption])
        groups.append(caption.split()[2])
        sources.append(f"clip{number}")
    data = TrainingSet(
        rows=np.concatenate(rows).astype(np.float32),
        lengths=np.array([len(row) for row in rows]),
        captions=captions,
        groups=groups,
        sources=sources,
        starts=np.zeros(60, dtype=np.int64),
        licences=["CC0-1.0"],
    )
    data.save(tmp_path / "set.npz")
    settings = TrainingConfig(
        iterations=24, batch=8, learning_rate=2e-3, ema=0.99, checkpoint_every=12, validate_every=100
    )
    return RunConfig(str(tmp_path / "set.npz"), SMALL, training=settings)
