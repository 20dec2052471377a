# SPDX-License-Identifier: GPL-3.0-or-later
"""Training on a CUDA GPU, in each precision."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from backend.errors import BackendError
from backend.training.engine import Engine
from backend.training.trainer import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from backend.training.config import RunConfig

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here")


def plain_losses(run: Path) -> list[float]:
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [record["plain"] for record in records if "plain" in record]


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_losses_are_those_of_float32(config: RunConfig, tmp_path: Path, precision: str) -> None:
    losses = {}
    for each in ("float32", precision):
        settings = replace(config.training, iterations=240, device="cuda", precision=each)
        Trainer(replace(config, training=settings), tmp_path / each).run()
        losses[each] = plain_losses(tmp_path / each)
        assert np.isfinite(losses[each]).all()
        assert np.mean(losses[each][-3:]) < 0.6 * np.mean(losses[each][:2])
    # Steps that float16 leaves out while it looks for its scale are the first ones.
    assert abs(np.mean(losses[precision][2:]) / np.mean(losses["float32"][2:]) - 1) < 0.05


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(torch.cuda.device_count() + 1))
    with pytest.raises(BackendError, match="processes were started") as caught:
        Engine("cuda")
    assert "cpu" in caught.value.remedy


def test_a_killed_float16_run_goes_on_with_its_scale(config: RunConfig, tmp_path: Path) -> None:
    settings = replace(config.training, device="cuda", precision="float16")
    config = replace(config, training=settings)
    Trainer(config, tmp_path / "run").run(last=12)
    # As if gradients had overflowed: a new run begins with another scale.
    broken = Trainer(config, tmp_path / "run")
    broken.engine.scaler.load_state_dict(broken.engine.scaler.state_dict() | {"scale": 2.0**14})
    broken.run(last=24)
    resumed = Trainer(config, tmp_path / "run")
    assert resumed.iteration == 24
    assert resumed.engine.scaler.get_scale() == broken.engine.scaler.get_scale() == 2.0**14
