# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from backend.errors import BackendError
from backend.text import load_encoder
from backend.training.data.prepare import LAYOUT, TrainingSet
from backend.training.evaluation import main
from backend.training.judges.cases import held_out
from backend.training.judges.own import (
    FILE,
    EvaluatorConfig,
    OwnJudge,
    TextMotionEvaluator,
    load_evaluator,
    save_evaluator,
    train_evaluator,
)
from backend.training.judges.protocol import protocol
from backend.training.trainer import ENCODER, load_batches

if TYPE_CHECKING:
    from backend.training.config import RunConfig

SMALL = EvaluatorConfig(LAYOUT.size, 768, ENCODER, width=24, embedding=16)


def test_a_trained_evaluator_tells_gaits_apart_and_survives_the_disk(config: RunConfig, tmp_path: Path) -> None:
    data, encoder = TrainingSet.load(Path(config.data)), load_encoder(ENCODER)
    model = train_evaluator(load_batches(config), SMALL, 120, 16)
    kinds = sorted({captions[0] for captions in data.captions})
    texts = model.embed_texts(kinds, encoder)
    ends = np.cumsum(data.lengths)
    rows = [data.rows[end - length : end] for end, length in zip(ends, data.lengths, strict=True)]
    nearest = (model.embed(rows) @ texts.T).argmax(axis=1)
    right = [kinds[found] == captions[0] for found, captions in zip(nearest, data.captions, strict=True)]
    assert np.mean(right) > 0.8

    save_evaluator(tmp_path / "evaluator", model)
    again = load_evaluator(tmp_path / "evaluator")
    np.testing.assert_array_equal(again.embed(rows[:5]), model.embed(rows[:5]))

    # The protocol with a model that repeats the data: nothing is better.
    known = {(captions[0], len(each)): each for captions, each in zip(data.captions, rows, strict=True)}
    cases, judge, longest = held_out(data, np.arange(len(data))), OwnJudge(model, encoder), int(data.lengths.max())
    steps: list[tuple[int, int]] = []
    found = protocol(
        cases,
        judge,
        lambda text, frames, seed, count: [known[text, frames]] * count,
        longest,
        replications=3,
        repeated_texts=4,
        told=lambda done, total: steps.append((done, total)),
    )
    assert found["multimodality"].mean == pytest.approx(0.0, abs=1e-5)
    assert found["R-precision 3"].mean == found["real R-precision 3"].mean > 3 / 32
    assert found["FID"].mean == pytest.approx(0.0, abs=1e-6)
    total = 3 * (len(cases) + 4)
    assert steps == [(done, total) for done in range(1, total + 1)]
    # And with one that always stands still.
    still = [next(each for (text, _), each in known.items() if text == "a person stands still")]
    lazy = protocol(cases, judge, lambda text, frames, seed, count: still * count, longest, 2, repeated_texts=0)
    assert lazy["FID"].mean > found["FID"].mean
    assert lazy["matching score"].mean > found["matching score"].mean
    assert "multimodality" not in lazy
    with pytest.raises(BackendError, match="at least 32"):
        protocol(cases[:31], judge, lambda *_: [], longest, 1)


@pytest.mark.parametrize("length", [20, 21, 22, 23, 39])
def test_what_stands_behind_the_end_has_no_influence(length: int) -> None:
    torch.manual_seed(0)
    model = TextMotionEvaluator(SMALL).eval()
    motions, lengths = torch.randn(2, 40, LAYOUT.size), torch.tensor([40, length])
    tokens, mask = torch.randn(2, 6, 768), torch.tensor([[True] * 6, [True] * 3 + [False] * 3])
    with torch.no_grad():
        before = model.motions(motions, lengths), model.texts(tokens, mask)
        motions[1, length:] = 1e4
        tokens[1, 3:] = 1e4
        after = model.motions(motions, lengths), model.texts(tokens, mask)
        alone = model.motions(motions[1:, :length], lengths[1:])
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(before[0][1:], alone)


@pytest.mark.parametrize("damage", ["missing", "garbage", "nan", "size", "no card"])
def test_evaluators_that_cannot_be_used_are_refused(tmp_path: Path, damage: str) -> None:
    save_evaluator(tmp_path, TextMotionEvaluator(replace(SMALL, width=8)))
    path = tmp_path / FILE
    tensors = load_file(path)
    if damage == "missing":
        path.unlink()
    elif damage == "garbage":
        path.write_bytes(b"x" * 300)
    elif damage == "no card":
        save_file(tensors, path)
    else:
        tensors["word.bias"] = torch.full((9,), 1.0) if damage == "size" else torch.full((8,), torch.nan)
        save_file(tensors, path, {"config": '{"features": 137, "token_width": 768, "encoder": "x", "width": 8}'})
    with pytest.raises(BackendError, match="no evaluator") as caught:
        load_evaluator(tmp_path)
    assert "train evaluator" in caught.value.remedy


def test_the_protocol_refuses_what_it_cannot_judge(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[data]\nfile = 'x.npz'\n[model]\nfeatures = 137\n")
    for words in (["--replications", "0"], ["--evaluator", str(tmp_path / "nowhere")]):
        with pytest.raises(BackendError):
            main(["protocol", str(path), *words])
