# SPDX-License-Identifier: GPL-3.0-or-later
"""Training sets and checkpoints that are not what they should be: a sentence with a remedy, and no code is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from backend.errors import BackendError
from backend.model_card import SamplerConfig
from backend.training.data.prepare import TrainingSet
from backend.training.publish import export_model
from backend.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable

    from backend.training.config import RunConfig


class _Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("code_was_run"),)


def _words(parts: dict[str, Any], **changed: object) -> None:
    parts["words"] = np.array(json.dumps(json.loads(str(parts["words"])) | changed))


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "another name": lambda parts: parts.update(motions=parts.pop("rows")),
    "other features": lambda parts: parts.update(rows=parts["rows"][:, :100]),
    "whole numbers": lambda parts: parts.update(rows=parts["rows"].astype(int)),
    "no number": lambda parts: parts["rows"].__setitem__((3, 5), np.nan),
    "lengths that do not cut": lambda parts: parts.update(lengths=parts["lengths"] + 1),
    "lengths of another kind": lambda parts: parts.update(lengths=parts["lengths"].astype(float)),
    "a motion of one frame": lambda parts: parts["lengths"].__setitem__(slice(2), (1, parts["lengths"][:2].sum() - 1)),
    "fewer starts": lambda parts: parts.update(starts=parts["starts"][1:]),
    "nothing": lambda parts: parts.update(rows=parts["rows"][:0], lengths=parts["lengths"][:0]),
    "fewer captions": lambda parts: _words(parts, captions=[["a person walks"]]),
    "a motion without caption": lambda parts: _words(parts, captions=[[]] * 60),
    "captions of another kind": lambda parts: _words(parts, captions=[[3]] * 60),
    "no words": lambda parts: parts.update(words=np.array("{")),
    "words of another kind": lambda parts: parts.update(words=np.array("[]")),
    "code": lambda parts: parts.update(rows=np.array([_Code()], dtype=object)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_training_set_that_does_not_fit_is_refused(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], object]
) -> None:
    monkeypatch.chdir(tmp_path)
    parts = dict(np.load(config.data))
    change(parts)
    np.savez(config.data, **parts)
    _refused(config)
    assert not Path("code_was_run").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_cut_training_set_is_refused(config: RunConfig, share: float) -> None:
    path = Path(config.data)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    _refused(config)


def test_random_damage_to_a_training_set_never_gets_past_us_as_another_error(config: RunConfig) -> None:
    path, rng = Path(config.data), np.random.default_rng(0)
    content = path.read_bytes()
    for _ in range(60):
        damaged = bytearray(content)
        # Not only the rows, which are most of the file.
        for place in (*rng.integers(0, len(content), 4), *rng.integers(len(content) - 4000, len(content), 4)):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            TrainingSet.load(path)
        except BackendError as error:
            assert error.remedy


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x80\x04K\x01."])
def test_another_file_is_no_training_set(config: RunConfig, content: bytes) -> None:
    Path(config.data).write_bytes(content)
    _refused(config)
    with Path(config.data).open("wb") as stream:
        np.save(stream, np.zeros(3))
    _refused(config)


def _refused(config: RunConfig) -> None:
    with pytest.raises(BackendError, match=r"set\.npz") as caught:
        TrainingSet.load(Path(config.data))
    assert (caught.value.code, caught.value.remedy) == ("bad_data", "Make it with: python -m backend data prepare")


@pytest.mark.parametrize("damage", ["code", "cut", "text", "nothing", "no number", "other weights", "a list"])
def test_a_damaged_checkpoint_is_refused_and_left_alone(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run = Trainer(config, tmp_path / "run")
    run.run(last=1)
    state = torch.load(run.checkpoint, weights_only=True)
    if damage == "code":
        torch.save(state | {"hook": _Code()}, run.checkpoint)
    elif damage == "no number":
        next(iter(state["average"].values())).fill_(torch.nan)
        torch.save(state, run.checkpoint)
    elif damage == "other weights":
        torch.save(state | {"model": {"surplus": torch.zeros(3)}}, run.checkpoint)
    elif damage == "a list":
        torch.save([torch.zeros(3)], run.checkpoint)
    else:
        content = {"cut": run.checkpoint.read_bytes()[:-900], "text": b"no checkpoint", "nothing": b""}[damage]
        run.checkpoint.write_bytes(content)
    before = run.checkpoint.read_bytes()
    with pytest.raises(BackendError, match="checkpoint") as caught:
        Trainer(config, tmp_path / "run")
    assert (caught.value.code, caught.value.remedy != "") == ("bad_checkpoint", True)
    if damage != "other weights":
        with pytest.raises(BackendError, match="checkpoint"):
            export_model(config, run.checkpoint, tmp_path / "model", SamplerConfig())
        assert not (tmp_path / "model").exists()
    assert run.checkpoint.read_bytes() == before
    assert not Path("code_was_run").exists()
