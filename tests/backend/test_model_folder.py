# SPDX-License-Identifier: GPL-3.0-or-later
"""Models on disk: what is saved is loaded, what is damaged is refused with a remedy."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from random_model import CONFIG, random_network, save_random_model
from safetensors.torch import load_file

from backend.errors import BackendError
from backend.model_card import ModelCard, read_card
from backend.model_folder import CARD, DEVIATION, MEAN, WEIGHTS, load_model, save_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_random_model(tmp_path / "model")
    return tmp_path / "model"


def test_a_model_comes_back_as_float16_saved_it(folder: Path) -> None:
    model = load_model(folder)
    for name, weights in random_network().state_dict().items():
        assert torch.equal(model.network.state_dict()[name], weights.half().float())
    assert model.mean.dtype == torch.float32
    assert not model.network.training
    assert not any(weights.requires_grad or weights.is_meta for weights in model.network.parameters())


def test_float32_weights_come_back_exactly(tmp_path: Path) -> None:
    save_random_model(tmp_path, half=False)
    saved = random_network().state_dict()
    assert all(torch.equal(saved[name], weights) for name, weights in load_model(tmp_path).network.state_dict().items())


def test_the_card_comes_back_whole(folder: Path) -> None:
    card = load_model(folder).card
    assert card.config == CONFIG
    assert card.training["say"] == 'a "quoted" word, ümlauts\nand a second line'
    assert ModelCard.from_toml(card.to_toml()) == card


def test_normalisation_is_undone(folder: Path) -> None:
    model = load_model(folder)
    features = torch.randn(7, CONFIG.features)
    torch.testing.assert_close(model.restore(model.normalise(features)), features)


def resave(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    """Save the model again with altered weights and the right hash."""
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    mean, deviation = tensors.pop(MEAN), tensors.pop(DEVIATION)
    save_model(folder, read_card(folder / CARD), tensors, mean, deviation)


def poison(tensors: dict[str, Tensor]) -> None:
    next(iter(tensors.values())).flatten()[0] = torch.nan


@pytest.mark.fault("corrupt or wrong-version model")
@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.popitem(),
        lambda tensors: tensors.update(surplus=torch.zeros(3)),
        lambda tensors: tensors.update({name: weights[:1] for name, weights in [tensors.popitem()]}),
        lambda tensors: tensors.update({MEAN: torch.zeros(5)}),
        lambda tensors: tensors[DEVIATION].zero_(),
        poison,
    ],
    ids=["missing", "surplus", "wrong size", "short mean", "no deviation", "not a number"],
)
def test_weights_that_do_not_fit_are_refused(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    resave(folder, change)
    with pytest.raises(BackendError) as caught:
        load_model(folder)
    assert caught.value.code == "bad_model"


def altered_byte(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


@pytest.mark.fault("corrupt or wrong-version model")
@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[: len(content) // 2],
        altered_byte,
        lambda content: pickle.dumps(print),
        lambda content: b"",
    ],
    ids=["truncated", "altered", "pickle", "empty"],
)
def test_files_that_are_not_what_the_card_says_are_refused(folder: Path, change: Callable[[bytes], bytes]) -> None:
    path = folder / WEIGHTS
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(BackendError, match="card"):
        load_model(folder)
    # Even with a card that fits the broken file.
    card = replace(read_card(folder / CARD), weights_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    (folder / CARD).write_text(card.to_toml(), "utf-8")
    if change is not altered_byte:
        with pytest.raises(BackendError, match="cannot be read"):
            load_model(folder)


@pytest.mark.fault("corrupt or wrong-version model")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("layers = 2", "layers = 2000000000"),
        ("\nwidth = 32", "\nwidth = 1000000000"),
        ("\nwidth = 32", "\nwidth = 'wide'"),
        ("\nwidth = 32", "\nwidth = 64"),
        ("features = 137", "features = 263"),
        ("start_timestep = 500", "start_timestep = 5000"),
        ('name = "random"', "name = 5"),
        ('name = "random"', ""),
        ("[config]", "[konfig]"),
        ("[config]", "[config"),
        ("layers = 2", "layers = 2\nheads_up = 1"),
    ],
)
def test_cards_that_do_not_fit_are_refused(folder: Path, old: str, new: str) -> None:
    text = (folder / CARD).read_text("utf-8")
    assert old in text
    (folder / CARD).write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(BackendError) as caught:
        load_model(folder)
    assert caught.value.code == "bad_model"


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="nowhere"):
        load_model(tmp_path / "nowhere")
