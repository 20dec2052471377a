# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of official checkpoints."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_network import CONFIG as SMALL
from small_network import random_network

from backend.errors import BackendError
from backend.model import ModelConfig, ReMoDiffuse
from backend.model.official import correspondence, from_official, to_official

CONFIG = replace(SMALL, reference_token_width=SMALL.width)


def test_every_official_parameter_has_its_place() -> None:
    config = ModelConfig(features=263)
    pairs = correspondence(config)
    with torch.device("meta"):
        assert pairs.keys() == ReMoDiffuse(config).state_dict().keys()
    official = [name for names in pairs.values() for name in names]
    assert len(official) == len(set(official)) == 240


def test_official_names_and_back_change_nothing() -> None:
    ours = random_network(CONFIG).state_dict()
    official = {f"module.model.{name}": tensor for name, tensor in to_official(ours, CONFIG).items()}
    official["module.model.clip.logit_scale"] = torch.tensor(1.0)
    restored = from_official(official, CONFIG)
    assert restored.keys() == ours.keys()
    assert all(torch.equal(restored[name], tensor) for name, tensor in ours.items())


@pytest.mark.parametrize("damage", ["missing", "surplus", "shape"])
def test_a_checkpoint_of_another_model_is_refused(damage: str) -> None:
    official = to_official(random_network(CONFIG).state_dict(), CONFIG)
    if damage == "missing":
        del official["out.bias"]
    elif damage == "surplus":
        official["text_proj.weight"] = torch.zeros(1)
    else:
        official["out.bias"] = torch.zeros(251)
    with pytest.raises(BackendError, match=r"text_proj\.weight|out\.bias"):
        from_official(official, CONFIG)
