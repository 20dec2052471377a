# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network promises whatever its weights are."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from small_network import CONFIG, LENGTHS, OPTIONS, Inputs, random_network

from backend.model import ModelConfig, ReMoDiffuse

EVERYTHING = replace(CONFIG, **OPTIONS)
both_architectures = pytest.mark.parametrize("config", [CONFIG, EVERYTHING], ids=["official", "options"])


def test_the_official_model_has_the_official_number_of_parameters() -> None:
    with torch.device("meta"):
        sizes = {name: weights.numel() for name, weights in ReMoDiffuse(ModelConfig(features=263)).named_parameters()}
    assert round(sum(sizes.values()) / 1e6, 2) == 46.97
    assert round(sum(size for name, size in sizes.items() if name.startswith("denoiser.blocks")) / 1e6, 2) == 30.47


@both_architectures
def test_a_fresh_model_predicts_zero(config: ModelConfig) -> None:
    assert not Inputs.random(config).predict(ReMoDiffuse(config)).any()


@both_architectures
@torch.no_grad()
def test_padding_has_no_influence(config: ModelConfig) -> None:
    network, inputs = random_network(config), Inputs.random(config)
    expected = inputs.predict(network)
    changed = deepcopy(inputs)
    changed.x_t[~inputs.mask] = 100.0
    changed.aligned[~inputs.mask] = 100.0
    for number, lengths in enumerate(inputs.lengths):
        for reference, length in enumerate(lengths):
            changed.motions[number, reference, length:] = -100.0
    changed.tokens[~inputs.token_mask] = 100.0
    if config.caption_position == "first":  # the official "last" token may itself be padding
        changed.captions[~inputs.caption_mask] = 100.0
    torch.testing.assert_close(changed.predict(network)[inputs.mask], expected[inputs.mask], rtol=0, atol=0)


@both_architectures
@torch.no_grad()
def test_a_sample_alone_equals_the_sample_in_a_padded_batch(config: ModelConfig) -> None:
    network, inputs = random_network(config), Inputs.random(config)
    together = inputs.predict(network)
    for number, length in enumerate(LENGTHS):
        alone = Inputs(**{field.name: getattr(inputs, field.name)[number : number + 1] for field in fields(inputs)})
        alone.x_t, alone.mask = alone.x_t[:, :length], alone.mask[:, :length]
        alone.aligned = alone.aligned[:, :length]
        torch.testing.assert_close(alone.predict(network)[0], together[number, :length])


@both_architectures
@torch.no_grad()
def test_nothing_is_changed_in_place(config: ModelConfig) -> None:
    network, inputs = random_network(config), Inputs.random(config)
    before = deepcopy(inputs)
    text, references = inputs.conditions(network)
    kept = torch.tensor([True, False, True])
    first = network(inputs.x_t, inputs.timesteps, inputs.mask, text, references, kept, ~kept)
    again = network(inputs.x_t, inputs.timesteps, inputs.mask, text, references, kept, ~kept)
    torch.testing.assert_close(again, first, rtol=0, atol=0)
    for field in fields(inputs):
        torch.testing.assert_close(getattr(inputs, field.name), getattr(before, field.name), rtol=0, atol=0)


@both_architectures
@torch.no_grad()
def test_dropped_conditions_have_no_influence(config: ModelConfig) -> None:
    network, inputs = random_network(config), Inputs.random(config)
    other = deepcopy(inputs)
    other.tokens, other.motions, other.captions, other.aligned = (
        torch.randn_like(x) for x in (inputs.tokens, inputs.motions, inputs.captions, inputs.aligned)
    )
    for kept in ({"keep_text": False, "keep_references": False}, {}):
        same = torch.equal(inputs.predict(network, **kept), other.predict(network, **kept))
        assert same == bool(kept)


@both_architectures
@torch.no_grad()
def test_no_references_at_all_equal_dropped_references(config: ModelConfig) -> None:
    network, inputs = random_network(config), Inputs.random(config)
    text, _ = inputs.conditions(network)
    kept = torch.ones(len(LENGTHS), dtype=torch.bool)
    without = network(inputs.x_t, inputs.timesteps, inputs.mask, text, None, kept, kept)
    torch.testing.assert_close(without, inputs.predict(network, keep_references=False))


@pytest.mark.parametrize("option", [{"local_mixing": 5}, {"noise_skip": True}, {"aligned_reference": True}], ids=str)
@torch.no_grad()
def test_an_option_starts_as_the_official_network(option: dict[str, Any]) -> None:
    official, inputs = random_network(CONFIG), Inputs.random()
    extended = ReMoDiffuse(replace(CONFIG, **option)).eval()
    missing, unexpected = extended.load_state_dict(official.state_dict(), strict=False)
    assert missing
    assert not unexpected
    torch.testing.assert_close(inputs.predict(extended), inputs.predict(official), rtol=0, atol=0)


def test_every_parameter_learns() -> None:
    network, inputs = random_network(EVERYTHING), Inputs.random(EVERYTHING)
    inputs.predict(network).square().mean().backward()
    assert [
        name for name, weights in network.named_parameters() if weights.grad is None or not weights.grad.any()
    ] == []


@both_architectures
@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
@torch.no_grad()
def test_reduced_precision_stays_close(config: ModelConfig, precision: torch.dtype) -> None:
    network, inputs = random_network(config), Inputs.random(config)
    exact = inputs.predict(network)
    with torch.autocast("cpu", precision):
        reduced = inputs.predict(network)
    assert reduced.isfinite().all()
    assert (reduced - exact).square().mean().sqrt() < 0.03 * exact.std()
