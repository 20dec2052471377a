# SPDX-License-Identifier: GPL-3.0-or-later
"""The model's settings as a card holds them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from small_network import CONFIG, OPTIONS

from backend.errors import BackendError
from backend.model import DiffusionConfig, MixtureConfig, ModelConfig


def test_settings_survive_a_card() -> None:
    config = ModelConfig(
        features=251, mixture=MixtureConfig.guidance(2.5), diffusion=DiffusionConfig(sections=(4, 3)), **OPTIONS
    )
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"width": 30},
        {"layers": 0},
        {"local_mixing": 4},
        {"positional_init": "none"},
        {"caption_position": "middle"},
        {"mixture": {"rule": "fair"}},
        {"diffusion": {"sections": []}},
        {"diffusion": {"steps": 10, "sections": [11]}},
        {"diffusion": {"beta_end": 2.0}},
        {"diffusion": {"steps": "many"}},
        {"layers": "four"},
        {"layers": 2.0},
        {"local_mixing": -1},
        {"pooled_condition": 1},
        {"kinematic_coefficient": float("nan")},
        {"mixture": {"coarse_scale": float("inf")}},
        {"diffusion": {"sections": [1.5]}},
    ],
)
def test_bad_settings_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BackendError, match="invalid"):
        ModelConfig.from_dict(CONFIG.to_dict() | change)


def test_the_feature_width_has_no_default() -> None:
    with pytest.raises(BackendError, match="features"):
        ModelConfig.from_dict({})
