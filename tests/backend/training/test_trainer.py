# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from gaits import CAPTIONS, gait

from backend.errors import BackendError
from backend.model.config import ModelConfig
from backend.training.config import RunConfig, TrainingConfig
from backend.training.data.prepare import LAYOUT, TrainingSet
from backend.training.trainer import Trainer

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


def weights(run: Trainer) -> torch.Tensor:
    return torch.cat([value.flatten() for value in run.model.state_dict().values()])


def test_a_killed_run_goes_on_as_if_it_had_not_been(config: RunConfig, tmp_path: Path) -> None:
    unbroken = Trainer(config, tmp_path / "unbroken")
    unbroken.run()

    Trainer(config, tmp_path / "killed").run(last=12)
    resumed = Trainer(config, tmp_path / "killed")
    assert resumed.iteration == 12
    resumed.run()
    assert torch.equal(weights(unbroken), weights(resumed))


def test_the_loss_falls(config: RunConfig, tmp_path: Path) -> None:
    config = replace(config, training=replace(config.training, iterations=240))
    run = Trainer(config, tmp_path / "run")
    run.run()
    plain = [
        record["plain"]
        for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()
        if "plain" in (record := json.loads(line))
    ]
    assert np.mean(plain[-3:]) < 0.6 * np.mean(plain[:2])


def test_a_window_never_meets_itself_as_its_reference(config: RunConfig, tmp_path: Path) -> None:
    batches = Trainer(config, tmp_path / "run").batches
    rng = np.random.default_rng(0)
    for window in range(20):
        for _ in range(5):
            assert window not in batches._retrieve(window, batches.texts[window][0], 40, rng)


def test_missing_data_says_how_to_make_it(config: RunConfig, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="data prepare"):
        Trainer(replace(config, data=str(tmp_path / "nothing.npz")), tmp_path / "run")


@pytest.mark.parametrize(
    "text", ["", "[data]\nfile = 'x'", "[data]\nfile='x'\n[model]\nfeatures=137\n[loss]\nno=1", "["]
)
def test_a_bad_configuration_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(BackendError):
        RunConfig.read(path)
