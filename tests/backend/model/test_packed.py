# SPDX-License-Identifier: GPL-3.0-or-later
"""Packed layers say what the plain ones say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_network import CONFIG, OPTIONS, Draws, Inputs, random_network
from torch import nn

from backend.diffusion import sample
from backend.model import ModelConfig, packed
from backend.model.packed import PackedFeedForward, PackedLinear, can_pack

EVERYTHING = replace(CONFIG, **OPTIONS)
CPU = torch.device("cpu")
needs_packing = pytest.mark.skipif(not can_pack(CPU, torch.float32), reason="torch without oneDNN")


@needs_packing
@pytest.mark.parametrize("config", [CONFIG, EVERYTHING], ids=["official", "options"])
@torch.no_grad()
def test_a_packed_denoiser_samples_the_same_motion(config: ModelConfig) -> None:
    network, inputs, draws = random_network(config), Inputs.random(config), Draws.of(config)
    conditions = network.denoiser.condition(*inputs.conditions(network))
    conditions = network.denoiser.aligned_to(conditions, inputs.aligned)
    fast = packed(network.denoiser)
    plain, quick = (
        sample(denoiser, conditions, inputs.mask, draws.noise, draws.coins, draws.schedule, config.mixture)
        for denoiser in (network.denoiser, fast)
    )
    torch.testing.assert_close(quick, plain, atol=2e-5 * float(plain.abs().max()), rtol=0)


@needs_packing
def test_every_product_of_a_step_is_packed_and_the_given_denoiser_stays_as_it_was() -> None:
    denoiser = random_network(EVERYTHING).denoiser
    before = {name: weights.clone() for name, weights in denoiser.state_dict().items()}
    fast = packed(denoiser)
    kinds = {name: type(layer) for name, layer in fast.named_modules()}
    assert kinds["frame_projection"] is kinds["output"] is PackedLinear
    for block in range(EVERYTHING.layers):
        for layer in ("attention.query_key_value", "attention_style.output", "feedforward_style.output"):
            assert kinds[f"blocks.{block}.{layer}"] is PackedLinear
        assert kinds[f"blocks.{block}.feedforward"] is PackedFeedForward
    after = denoiser.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    # What once a request needs is not held twice.
    assert fast.blocks[0].attention_style.modulation.weight is denoiser.blocks[0].attention_style.modulation.weight  # type: ignore[union-attr]


@torch.no_grad()
def test_a_packed_layer_computes_in_the_precision_of_its_weights() -> None:
    layer, rows = nn.Linear(24, 40), torch.randn(3, 7, 24)
    for precision, tolerance in ((torch.float32, 1e-5), (torch.bfloat16, 2e-2)):
        if not can_pack(CPU, precision):
            continue
        result = PackedLinear(layer, precision)(rows)
        assert result.dtype == precision
        torch.testing.assert_close(result.float(), layer(rows), atol=tolerance, rtol=tolerance)


def test_where_nothing_can_be_packed_the_denoiser_stays() -> None:
    denoiser = random_network().denoiser
    assert packed(denoiser, torch.float64) is denoiser
    assert packed(denoiser.to("meta")) is denoiser


@torch.no_grad()
def test_masks_of_real_frames_only_are_no_masks() -> None:
    """Sampling leaves them out where every frame is real."""
    for config in (CONFIG, EVERYTHING):
        network, inputs = random_network(config), Inputs.random(config)
        denoiser = network.denoiser
        conditions = denoiser.aligned_to(denoiser.condition(*inputs.conditions(network)), inputs.aligned)
        keep = torch.ones(len(inputs.x_t), dtype=torch.bool)
        modulation = denoiser.modulate(denoiser.embed_time(inputs.timesteps))
        masked, bare = (
            denoiser.decode(inputs.x_t, mask, conditions.kept(keep, keep), modulation)
            for mask in (torch.ones_like(inputs.mask), None)
        )
        torch.testing.assert_close(bare, masked, atol=1e-6, rtol=1e-6)
