# SPDX-License-Identifier: GPL-3.0-or-later
"""Official checkpoints, by stand-ins with the names and shapes of the real ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from official_files import checkpoint, clip_parameters, random_official, write_statistics
from safetensors.torch import load_file

from backend.commands.model import import_official, main
from backend.errors import BackendError
from backend.model import ModelConfig, ReMoDiffuse
from backend.model.importer import read_statistics
from backend.model_folder import load_model
from backend.text.clip import WEIGHTS


@pytest.mark.parametrize("features", [263, 251])
@torch.inference_mode()
def test_an_official_checkpoint_becomes_a_model_folder(tmp_path: Path, features: int) -> None:
    network = random_official(features)
    content = checkpoint(network)
    assert len(content["state_dict"]) == 542
    torch.save(content, tmp_path / "latest.pth")
    statistics = write_statistics(tmp_path / "stats", features)
    folder = tmp_path / "model"
    assert main(["import", str(tmp_path / "latest.pth"), "--stats", str(statistics), "--output", str(folder)]) == 0

    loaded = load_model(folder)
    assert loaded.card.config == network.config
    assert loaded.card.layout.size == features
    np.testing.assert_allclose(loaded.deviation, np.load(statistics / "std.npy"), rtol=1e-6)
    text = network.encode_text(torch.randn(1, 77, 512))
    keep = torch.tensor([True])
    arguments = (torch.randn(1, 20, features), torch.tensor([7]), torch.ones(1, 20).bool(), text, None, keep, keep)
    assert torch.equal(loaded.network(*arguments), network(*arguments))

    text_tower = load_file(folder / WEIGHTS)
    assert len(text_tower) == 302 - 1 - sum(name.startswith("clip.visual.") for name in clip_parameters())
    assert text_tower["token_embedding.weight"].shape == (49408, 512)


class _Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("code_was_run"),)


@pytest.mark.parametrize("damage", ["code", "truncated", "empty", "nan", "no clip", "no network", "missing", "absent"])
def test_a_bad_checkpoint_is_refused_and_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "latest.pth"
    content = checkpoint(_small_official())
    state = content["state_dict"]
    if damage == "code":
        content["meta"]["hook"] = _Code()
    elif damage == "nan":
        state["model.out.bias"] = torch.full_like(state["model.out.bias"], torch.nan)
    elif damage == "no clip":
        content["state_dict"] = {name: tensor for name, tensor in state.items() if ".clip." not in name}
    elif damage == "no network":
        content["state_dict"] = {name: tensor for name, tensor in state.items() if ".clip." in name}
    elif damage == "missing":
        del state["model.database.motion_proj.bias"]
    if damage != "absent":
        torch.save(content, path)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-1000])
    elif damage == "empty":
        path.write_bytes(b"")
    with pytest.raises(BackendError) as raised:
        import_official(path, write_statistics(tmp_path / "stats", 263))
    assert raised.value.code == "bad_checkpoint"
    assert {each.name for each in tmp_path.iterdir()} <= {"latest.pth", "stats"}


def _small_official() -> ReMoDiffuse:
    small = ModelConfig(features=263, max_frames=8, width=16, heads=8, feedforward_width=8, time_width=8)
    small = replace(small, token_width=512, text_width=8, text_feedforward_width=8, reference_feedforward_width=8)
    return ReMoDiffuse(replace(small, layers=1, reference_token_width=16))


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    torch.save(checkpoint(_small_official()), tmp_path / "latest.pth")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(BackendError, match="not empty"):
        import_official(tmp_path / "latest.pth", write_statistics(tmp_path / "stats", 263), tmp_path / "mine")
    assert [each.name for each in (tmp_path / "mine").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("features", [263, 251])
def test_the_data_sets_own_deviations_are_turned_into_the_official_ones(tmp_path: Path, features: int) -> None:
    official = read_statistics(write_statistics(tmp_path / "official", features), features)
    raw = read_statistics(write_statistics(tmp_path / "raw", features, divisor=1.0), features)
    np.testing.assert_allclose(raw[1], official[1], rtol=1e-6)


@pytest.mark.parametrize("damage", ["size", "nan", "zero", "strange", "missing", "pickled"])
def test_bad_statistics_are_refused(tmp_path: Path, damage: str) -> None:
    folder = write_statistics(tmp_path / "stats", 263, divisor=20.0 if damage == "strange" else 5.0)
    path = folder / "std.npy"
    values = np.load(path)
    if damage == "size":
        np.save(path, values[:-1])
    elif damage in ("nan", "zero"):
        values[100] = np.nan if damage == "nan" else 0.0
        np.save(path, values)
    elif damage == "missing":
        path.unlink()
    elif damage == "pickled":
        np.save(path, np.array([_Code()] * 263), allow_pickle=True)
    with pytest.raises(BackendError) as raised:
        read_statistics(folder, 263)
    assert raised.value.code == "bad_statistics"
