# SPDX-License-Identifier: GPL-3.0-or-later
"""Training on folders of the official data layout, in both official sizes: small stand-ins of the real form."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from official_files import write_statistics

import backend.training
from backend.errors import BackendError
from backend.generate import Generator
from backend.model import DiffusionConfig, ModelConfig
from backend.model_folder import load_model
from backend.request import Request
from backend.training.cli import publish, train
from backend.training.config import RunConfig
from backend.training.data.official import read_official
from backend.training.losses import MotionLoss
from backend.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = [263, 251]
CAPTIONS = ("a person walks forward", "someone jumps", "a man kicks with the left foot")
SMALL = """
max_frames = 60
width = 32
heads = 4
layers = 1
feedforward_width = 32
time_width = 32
text_width = 32
text_layers = 1
text_feedforward_width = 32
reference_motion_layers = 1
reference_text_layers = 1
reference_heads = 4
reference_feedforward_width = 32
"""


def write_data(folder: Path, features: int, count: int = 24) -> Path:
    """Motions of 20 to 89 frames; every third has a mirrored copy, two are parts of one recording."""
    rng = np.random.default_rng(features)
    write_statistics(folder, features)
    mean, deviation = np.load(folder / "mean.npy"), np.load(folder / "std.npy")
    for name in ("motions", "texts"):
        (folder / name).mkdir()
    names = [f"{'M' if number % 3 == 2 else ''}{number // 3:06}" for number in range(count) if number % 3]
    names += ["A_000100", "B_000100"]
    for number, name in enumerate(names):
        steps = rng.standard_normal((20 + 3 * number, features)).cumsum(axis=0) * 0.1
        np.save(folder / "motions" / f"{name}.npy", (mean + deviation * steps).astype(np.float32))
        caption = CAPTIONS[number % len(CAPTIONS)]
        (folder / "texts" / f"{name}.txt").write_text(f"{caption}\n{caption}, slowly#a/DET#0.0#0.0\n\n", "utf-8")
    (folder / "train.txt").write_text("\n".join(names[:-3]) + "\n")
    (folder / "val.txt").write_text("\n".join(names[-3:]))
    (folder / "test.txt").write_text("never read")
    return folder


def write_config(path: Path, data: Path, features: int, **training: object) -> Path:
    """The shipped configuration with a smaller model and a shorter run."""
    name = "t2m" if features == 263 else "kit"
    text = (Path(backend.training.__file__).parent / "configs" / f"official_{name}.toml").read_text("utf-8")
    text = text.replace(f'"data/datasets/{"human_ml3d" if features == 263 else "kit_ml"}"', f'"{data}"')
    text = text.replace(f"features = {features}\n", f"features = {features}\n{SMALL}")
    settings = {"iterations": 6, "batch": 4, "device": '"cpu"', "precision": '"float32"', "workers": 0} | training
    lines = [line for line in text.splitlines() if line.split(" ")[0] not in {*settings, "checkpoint_every"}]
    place = lines.index("[training]") + 1
    lines[place:place] = [f"{key} = {value}" for key, value in settings.items()] + ["checkpoint_every = 3"]
    path.write_text("\n".join(lines), "utf-8")
    return path


@pytest.mark.parametrize("features", SIZES)
def test_a_killed_run_on_official_data_goes_on_exactly_and_becomes_a_model(tmp_path: Path, features: int) -> None:
    data = write_data(tmp_path / "data", features)
    config = write_config(tmp_path / "run.toml", data, features, validate_every=3)
    unbroken, killed = tmp_path / "unbroken", tmp_path / "killed"
    assert train([str(config), "--folder", str(unbroken)]) == 0
    run = Trainer(RunConfig.read(config), killed)
    run.run(last=3)
    assert train([str(config), "--folder", str(killed)]) == 0
    one, two = (torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (unbroken, killed))
    assert one["iteration"] == two["iteration"] == 6
    for part in ("model", "average"):
        assert all(torch.equal(one[part][name], two[part][name]) for name in one[part])

    folder = tmp_path / "model"
    assert publish(["model", str(config), "--run", str(killed), "--output", str(folder)]) == 0
    loaded = load_model(folder)
    assert loaded.card.layout.size == features
    assert loaded.card.name == f"remodiffuse-{'t2m' if features == 263 else 'kit'}-own"
    np.testing.assert_allclose(loaded.deviation, np.load(data / "std.npy"), rtol=1e-6)
    take = Generator.load(folder, [], "cpu").generate(Request(CAPTIONS[0], 2.0))[0]
    assert take.motion.positions.shape == (40, 22, 3)


@pytest.mark.parametrize("features", SIZES)
def test_the_folder_is_read_as_it_is(tmp_path: Path, features: int) -> None:
    data = write_data(tmp_path / "data", features)
    found = read_official(data)
    assert (len(found), found.layout.size, found.layout.joints) == (18, features, 22 if features == 263 else 21)
    assert found.captions[0] == [CAPTIONS[0], f"{CAPTIONS[0]}, slowly"]
    assert found.sources[:4] == ["000000", "000000", "000001", "000001"]  # 000000, M000000, ...
    assert found.sources[-2:] == ["000100", "000100"]
    assert found.held_out is not None
    assert np.flatnonzero(found.held_out).tolist() == [15, 16, 17]
    np.testing.assert_array_equal(found.rows[: found.lengths[0]], np.load(data / "motions" / "000000.npy"))

    (data / "val.txt").unlink()
    np.save(data / "motions" / "000000.npy", np.zeros((15, features), np.float32))  # too short
    assert len(read_official(data)) == 14


def test_the_data_sets_own_deviations_are_turned_into_the_official_ones(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data", 263)
    official = np.load(data / "std.npy")
    write_statistics(data, 263, divisor=1.0)
    statistics = read_official(data).statistics
    assert statistics is not None
    np.testing.assert_allclose(statistics[1], official, rtol=1e-6)


def test_references_are_never_of_the_same_source_and_motions_are_drawn_alike(tmp_path: Path) -> None:
    config = RunConfig.read(write_config(tmp_path / "run.toml", write_data(tmp_path / "data", 263), 263))
    batches = Trainer(config, tmp_path / "run").batches
    windows = np.repeat(batches.training, 8)
    draw = batches.draw(windows, np.random.default_rng(0))
    found = np.searchsorted(batches.first, draw.reference_first.numpy())
    own = batches.sources[windows][:, 0]
    assert not (batches.sources[found][..., 0] == own[:, None]).any()
    assert np.ptp(batches.weights) == 0.0
    # As the network knows no more than max_frames, longer motions are cut at random.
    assert int(draw.lengths.max()) == config.model.max_frames
    longest = windows == np.argmax(batches.lengths)
    assert len(set(draw.first.numpy()[longest])) > 1 or not longest.any()


def test_the_papers_loss_is_the_mean_squared_error_of_real_frames(tmp_path: Path) -> None:
    config = RunConfig.read(write_config(tmp_path / "run.toml", write_data(tmp_path / "data", 251), 251))
    run = Trainer(config, tmp_path / "run")
    assert isinstance(run.loss, MotionLoss)
    predicted, clean = torch.randn(2, 3, 30, 251)
    mask = torch.arange(30) < torch.tensor([30, 12, 20])[:, None]
    loss, plain = run.loss(predicted, clean, mask, torch.tensor([999, 3, 500]))
    expected = ((predicted - clean).square().mean(-1) * mask).sum() / mask.sum()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(plain, expected)


def test_the_shipped_configurations_are_the_papers_models() -> None:
    for name, features in (("t2m", 263), ("kit", 251)):
        config = RunConfig.read(Path(backend.training.__file__).parent / "configs" / f"official_{name}.toml")
        paper = ModelConfig(features=features, token_width=768, reference_token_width=768)
        assert replace(config.model, mixture=paper.mixture) == paper
        assert config.model.diffusion == DiffusionConfig()
        assert (config.training.learning_rate, config.training.ema, config.training.weight_decay) == (2e-4, 0.0, 0.0)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no list": lambda data: (data / "train.txt").unlink(),
    "no motion": lambda data: (data / "motions" / "000001.npy").unlink(),
    "no text": lambda data: (data / "texts" / "000001.txt").unlink(),
    "cut": lambda data: (data / "motions" / "000001.npy").write_bytes(b"\x93NUMPY"),
    "other features": lambda data: np.save(data / "motions" / "000001.npy", np.zeros((30, 100), np.float32)),
    "another size": lambda data: [np.save(each, np.zeros((30, 7), np.float32)) for each in data.glob("motions/*")],
    "no number": lambda data: np.save(data / "motions" / "000001.npy", np.full((30, 263), np.nan, np.float32)),
    "no table": lambda data: np.save(data / "motions" / "000001.npy", np.zeros(30, np.float32)),
    "code": lambda data: np.save(data / "motions" / "000001.npy", np.array([Path()], object), allow_pickle=True),
    "no captions": lambda data: [each.write_text("\n") for each in data.glob("texts/*")],
    "no statistics": lambda data: (data / "std.npy").unlink(),
    "another place": lambda data: (data / "train.txt").write_text("../secret\n"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_folder_is_refused(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    data = write_data(tmp_path / "data", 263)
    damage(data)
    with pytest.raises(BackendError) as caught:
        read_official(data)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"features": 251}, "263 features"),
        ({"token_width": 512}, "768 numbers a token"),
        ({"aligned_reference": True}, "rotations"),
        ({"references": 30}, "too few"),
    ],
)
def test_a_model_that_does_not_fit_the_data_is_refused(tmp_path: Path, change: dict[str, int], words: str) -> None:
    config = RunConfig.read(write_config(tmp_path / "run.toml", write_data(tmp_path / "data", 263), 263))
    with pytest.raises(BackendError, match=words):
        Trainer(replace(config, model=replace(config.model, **change)), tmp_path / "run")


def test_float16_is_refused_where_there_is_no_gpu_for_it(tmp_path: Path) -> None:
    config = RunConfig.read(
        write_config(tmp_path / "run.toml", write_data(tmp_path / "data", 263), 263, precision='"float16"')
    )
    with pytest.raises(BackendError, match="float16") as caught:
        Trainer(config, tmp_path / "run")
    assert "bfloat16" in caught.value.remedy


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    text = write_config(tmp_path / "run.toml", tmp_path, 263)
    assert tomllib.loads(text.read_text("utf-8"))["data"]["file"] == str(tmp_path)
    with pytest.raises(BackendError, match="official layout"):
        Trainer(RunConfig.read(text), tmp_path / "run")
