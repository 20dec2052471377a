# SPDX-License-Identifier: GPL-3.0-or-later
"""One process or several, float32 or bfloat16: the same training."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.errors import BackendError
from backend.training.board import POSES, SIDE, strip
from backend.training.config import RunConfig
from backend.training.engine import optional
from backend.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[3]


def needs(package: str) -> pytest.MarkDecorator:
    missing = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(missing, reason=f"{package}, of the group training, is not installed")


def losses(run: Path) -> list[float]:
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [record["loss"] for record in records if "loss" in record]


def write(config: RunConfig, path: Path) -> Path:
    tables = {
        "data": {"file": config.data},
        "model": {key: value for key, value in config.model.to_dict().items() if not isinstance(value, dict)},
        "training": asdict(config.training),
    }
    lines = []
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    path.write_text("\n".join(lines))
    return path


@needs("accelerate")
def test_two_processes_train_as_one_does(config: RunConfig, tmp_path: Path) -> None:
    settings = replace(config.training, iterations=40, validate_every=20, checkpoint_every=20, gradient_clip=1.0)
    config = replace(config, training=settings)
    path = write(config, tmp_path / "run.toml")
    Trainer(RunConfig.read(path), tmp_path / "one").run()
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words += ["-m", "backend", "train", str(path), "--folder", str(tmp_path / "two")]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == len(two) == 2
    np.testing.assert_allclose(two, one, rtol=1e-4)
    single, shared = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("one", "two"))
    for name, value in single["model"].items():
        torch.testing.assert_close(shared["model"][name], value, rtol=1e-3, atol=2e-4)


def test_the_best_validation_is_kept(config: RunConfig, tmp_path: Path) -> None:
    settings = replace(config.training, iterations=12, validate_every=4)
    run = Trainer(replace(config, training=settings), tmp_path / "run")
    errors = iter([[3.0], [1.0], [2.0]])
    run.validate = lambda: next(errors)
    run.run()
    kept = torch.load(tmp_path / "run" / "best.pt", weights_only=True)
    assert (kept["iteration"], kept["best"]) == (8, 1.0)
    assert {"average", "mean", "deviation", "iteration", "seconds", "earlier"} <= kept.keys()
    assert Trainer(replace(config, training=settings), tmp_path / "run").best == 1.0


def test_checkpoints_from_before_the_best_was_kept_still_load(config: RunConfig, tmp_path: Path) -> None:
    run = Trainer(config, tmp_path / "run")
    run.run(last=4)
    state = torch.load(run.checkpoint, weights_only=True)
    del state["best"]
    torch.save(state, run.checkpoint)
    assert Trainer(config, tmp_path / "run").iteration == 4


def test_bfloat16_trains_nearly_the_same(config: RunConfig, tmp_path: Path) -> None:
    runs = []
    for precision in ("float32", "bfloat16"):
        settings = replace(config.training, iterations=40, precision=precision)
        Trainer(replace(config, training=settings), tmp_path / precision).run()
        runs.append(losses(tmp_path / precision))
    assert runs[0] != runs[1]
    np.testing.assert_allclose(runs[1], runs[0], rtol=0.1)
    state = torch.load(tmp_path / "bfloat16" / "checkpoint.pt", weights_only=True)
    assert {value.dtype for value in state["model"].values()} == {torch.float32}


@needs("tensorboardX")
def test_curves_and_a_picture_are_written_for_tensorboard(config: RunConfig, tmp_path: Path) -> None:
    settings = replace(config.training, iterations=20, validate_every=20, tensorboard=True)
    Trainer(replace(config, training=settings), tmp_path / "run").run()
    files = list((tmp_path / "run" / "tensorboard").iterdir())
    content = files[0].read_bytes()
    assert len(files) == 1
    assert all(word in content for word in (b"loss", b"validation/500", b"sample", b"PNG"))


def test_a_pose_is_drawn_where_it_stands() -> None:
    positions = np.zeros((20, 22, 3))
    positions[:, :, 1] = np.linspace(0.0, 1.7, 22)
    picture = strip(positions)
    assert picture.shape == (SIDE, POSES * SIDE)
    columns = np.flatnonzero((picture == 0).any(axis=0))
    assert columns.tolist() == [SIDE * number + SIDE // 2 for number in range(POSES)]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(BackendError) as caught:
        optional("no_such_package", "no-such-package==1", "do this")
    assert "no-such-package==1" in caught.value.remedy


def test_a_file_that_is_no_checkpoint_is_refused_and_left_alone(config: RunConfig, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(BackendError, match="cannot be read"):
        Trainer(config, folder)
    assert (folder / "checkpoint.pt").read_bytes() == b"no checkpoint"
