# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from backend.errors import BackendError
from backend.text import load_encoder
from backend.training.captions import Captions
from backend.training.config import RunConfig
from backend.training.trainer import ENCODER, Trainer, load_batches

if TYPE_CHECKING:
    from pathlib import Path

    from small_disk import Disk

    from backend.text.encoder import TextEncoder


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
    windows = np.repeat(np.arange(20), 5)
    texts = np.array([batches.texts[window][0] for window in windows])
    found = batches._retrieve(windows, texts, np.full(len(windows), 40), rng)
    assert not (found == windows[:, None]).any()


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


def test_batches_are_the_same_whoever_draws_them_and_whenever(config: RunConfig, tmp_path: Path) -> None:
    ahead = replace(config, training=replace(config.training, workers=2))
    Trainer(config, tmp_path / "alone").run()
    Trainer(ahead, tmp_path / "ahead").run()
    assert torch.equal(weights(Trainer(config, tmp_path / "alone")), weights(Trainer(config, tmp_path / "ahead")))


def test_captions_are_encoded_once(config: RunConfig, tmp_path: Path) -> None:
    def never() -> TextEncoder:
        raise AssertionError("encoded again")

    known = load_batches(config).captions
    file = tmp_path / "set.captions.safetensors"
    texts = list(known.index)
    again = Captions.of(texts, never, file)
    assert torch.equal(again.tokens, known.tokens)
    assert torch.equal(again.sentences, known.sentences)
    # Of other texts, or damaged, it is made anew.
    assert len(Captions.of([*texts, "a person swims"], lambda: load_encoder(ENCODER), file).counts) == len(texts) + 1
    file.write_bytes(b"damaged")
    assert len(Captions.of(texts, lambda: load_encoder(ENCODER), file).counts) == len(texts)


def test_captions_come_padded_as_the_encoder_gives_them(config: RunConfig) -> None:
    captions = load_batches(config).captions
    texts = list(captions.index)[:3]
    tokens, mask = captions.padded(torch.tensor([captions.index[text] for text in texts]))
    features = load_encoder(ENCODER).encode(texts)
    assert torch.equal(mask, features.mask)
    torch.testing.assert_close(tokens, features.tokens * features.mask[..., None], atol=2e-3, rtol=2e-3)
