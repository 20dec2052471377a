# SPDX-License-Identifier: GPL-3.0-or-later
"""DDIM sampling against its plain form, and what a take depends on."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_network import CONFIG, LENGTHS, OPTIONS, Draws, Inputs, random_network

from backend.diffusion import Start, sample, take_coins, take_noise
from backend.diffusion.plain import sample_plainly
from backend.errors import CancelledError
from backend.model import Conditioning, MixtureConfig, ModelConfig

EVERYTHING = replace(CONFIG, **OPTIONS, mixture=MixtureConfig.guidance(2.5))
both_architectures = pytest.mark.parametrize("config", [CONFIG, EVERYTHING], ids=["official", "options"])


@torch.no_grad()
def _conditions(config: ModelConfig) -> tuple[Inputs, Conditioning]:
    network, inputs = random_network(config), Inputs.random(config)
    conditions = network.denoiser.condition(*inputs.conditions(network))
    return inputs, network.denoiser.aligned_to(conditions, inputs.aligned)


@both_architectures
@torch.no_grad()
def test_the_shortcuts_change_nothing(config: ModelConfig) -> None:
    network, inputs, draws = random_network(config), Inputs.random(config), Draws.of(config)
    text, references = inputs.conditions(network)
    for given in (references, None):
        fast = sample(
            network.denoiser,
            network.denoiser.aligned_to(network.denoiser.condition(text, given), inputs.aligned),
            inputs.mask,
            draws.noise,
            draws.coins,
            draws.schedule,
            config.mixture,
        )
        plain = sample_plainly(
            network,
            text,
            given,
            inputs.mask,
            draws.noise,
            draws.coins,
            draws.schedule,
            config.mixture,
            inputs.aligned,
        )
        torch.testing.assert_close(fast, plain, atol=2e-5 * float(plain.abs().max()), rtol=0)


@both_architectures
def test_a_take_is_the_same_alone_and_in_a_batch(config: ModelConfig) -> None:
    network, draws = random_network(config), Draws.of(config)
    inputs, conditions = _conditions(config)
    together = sample(
        network.denoiser, conditions, inputs.mask, draws.noise, draws.coins, draws.schedule, config.mixture
    )
    for number, length in enumerate(LENGTHS):
        one = slice(number, number + 1)
        own = conditions.rows(torch.tensor([number]))
        own = replace(own, aligned=None if own.aligned is None else own.aligned[:, :length])
        alone = sample(
            network.denoiser,
            own,
            inputs.mask[one, :length],
            draws.noise[one, :length],
            draws.coins[:, one],
            draws.schedule,
            config.mixture,
        )
        torch.testing.assert_close(alone[0], together[number, :length], atol=1e-4, rtol=1e-5)


def test_seeds_fix_noise_and_coins() -> None:
    np.testing.assert_array_equal(take_noise(3, 20, 5), take_noise(3, 20, 5))
    assert (take_noise(3, 20, 5) != take_noise(4, 20, 5)).all()
    coins = take_coins([3, 4, 3], 50)
    np.testing.assert_array_equal(coins[:, 0], coins[:, 2])
    assert (coins[:, 0] != coins[:, 1]).any()
    assert set(np.unique(coins)) == {0, 1}


def test_coins_decide_and_nothing_global_does() -> None:
    network, draws = random_network(), Draws.of()
    inputs, conditions = _conditions(CONFIG)

    def take(coins: np.ndarray) -> torch.Tensor:
        return sample(network.denoiser, conditions, inputs.mask, draws.noise, coins, draws.schedule, CONFIG.mixture)

    torch.manual_seed(1)
    first = take(draws.coins)
    torch.manual_seed(2)
    assert torch.equal(take(draws.coins), first)
    other = take(np.stack([draws.coins[:, 0], 1 - draws.coins[:, 1], draws.coins[:, 2]], axis=1))
    assert [torch.equal(other[number], first[number]) for number in range(3)] == [True, False, True]


def test_takes_depend_on_the_threads_by_rounding_at_most() -> None:
    network, draws = random_network(), Draws.of()
    inputs, conditions = _conditions(CONFIG)
    arguments = (network.denoiser, conditions, inputs.mask, draws.noise, draws.coins, draws.schedule, CONFIG.mixture)
    before, takes = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            takes.append(sample(*arguments))
    finally:
        torch.set_num_threads(before)
    for take in takes[1:]:
        torch.testing.assert_close(take, takes[0], atol=2e-5, rtol=0)


def test_sampling_changes_none_of_its_inputs() -> None:
    network, draws = random_network(), Draws.of()
    inputs, conditions = _conditions(CONFIG)
    before = deepcopy((conditions, inputs.mask, draws.noise, draws.coins))
    sample(network.denoiser, conditions, inputs.mask, draws.noise, draws.coins, draws.schedule, CONFIG.mixture)
    after = (conditions, inputs.mask, draws.noise, draws.coins)
    assert torch.equal(before[0].text[1].context, after[0].text[1].context)
    assert before[0].references is not None
    assert after[0].references is not None
    assert torch.equal(before[0].references[0].log_weight, after[0].references[0].log_weight)
    assert torch.equal(before[1], after[1])
    assert torch.equal(before[2], after[2])
    assert (before[3] == after[3]).all()


def test_a_start_from_a_clip_skips_the_noisier_steps() -> None:
    network, draws = random_network(), Draws.of()
    inputs, conditions = _conditions(CONFIG)
    arguments = (conditions, inputs.mask, draws.noise, draws.coins, draws.schedule, CONFIG.mixture)
    seen: list[tuple[int, int]] = []
    origin = torch.randn_like(draws.noise)

    sample(network.denoiser, *arguments, Start(origin, 400), lambda step, steps: seen.append((step, steps)))
    steps = draws.schedule.index(400) + 1
    assert seen == [(step, steps) for step in range(steps + 1)]
    assert steps < len(draws.schedule)

    near_the_end = sample(network.denoiser, *arguments, Start(origin, 0))
    x_t = draws.schedule.noised(origin, draws.noise, torch.zeros(3, dtype=torch.long))
    assert not torch.equal(near_the_end, x_t)
    other = sample(network.denoiser, *arguments, Start(origin + 1, 400))
    assert not torch.allclose(other, sample(network.denoiser, *arguments, Start(origin, 400)))


def test_progress_can_cancel_between_steps() -> None:
    network, draws = random_network(), Draws.of()
    inputs, conditions = _conditions(CONFIG)
    done: list[int] = []

    def cancel_at_three(step: int, _steps: int) -> None:
        done.append(step)
        if step == 3:
            raise CancelledError

    with pytest.raises(CancelledError):
        sample(
            network.denoiser,
            conditions,
            inputs.mask,
            draws.noise,
            draws.coins,
            draws.schedule,
            CONFIG.mixture,
            progress=cancel_at_three,
        )
    assert done == [0, 1, 2, 3]


@both_architectures
@torch.no_grad()
def test_reduced_precision_samples_nearly_the_same_motion(config: ModelConfig) -> None:
    network, draws = random_network(config), Draws.of(config)
    inputs, conditions = _conditions(config)
    arguments = (network.denoiser, conditions, inputs.mask, draws.noise, draws.coins, draws.schedule, config.mixture)
    exact = sample(*arguments)
    with torch.autocast("cpu", torch.bfloat16):
        reduced = sample(*arguments)
    assert reduced.dtype == torch.float32
    assert (reduced - exact).square().mean().sqrt() < 0.1 * exact.square().mean().sqrt()
