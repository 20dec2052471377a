# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from backend.errors import BackendError
from backend.training.config import RunConfig
from backend.training.trainer import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from small_disk import Disk


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


@pytest.mark.fault("disk full or read-only: checkpoint")
def test_a_checkpoint_survives_a_disk_that_cannot_be_written(config: RunConfig, disk: Disk, obstacle: tuple) -> None:
    Trainer(config, disk.folder / "run").run(last=12)
    before = weights(Trainer(config, disk.folder / "run"))
    block, unblock = obstacle
    going_on = Trainer(config, disk.folder / "run")
    block()
    with pytest.raises((BackendError, OSError)) as caught:
        going_on.run()
    assert isinstance(caught.value, OSError) or caught.value.remedy
    unblock()
    resumed = Trainer(config, disk.folder / "run")
    assert torch.equal(weights(resumed), before)
    resumed.run()


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
