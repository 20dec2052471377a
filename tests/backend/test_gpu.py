# SPDX-License-Identifier: GPL-3.0-or-later
"""What only a machine with a CUDA GPU can show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from backend import memory
from backend.diffusion import Schedule, sample, take_coins, take_noise
from backend.generate import Generator
from backend.request import Request

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backend.model import ReMoDiffuse

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here")

PROMPTS = ("a person walks forward", "a person waves with the right hand", "a person jumps forward")


def takes(device: str, precision: str = "float32") -> list[NDArray[np.floating]]:
    generator = Generator.load(device=device, precision=precision)
    return [take.motion.positions for text in PROMPTS for take in generator.generate(Request(text, 4.0, 3, 2))]


def distances(ones: list[NDArray[np.floating]], others: list[NDArray[np.floating]]) -> list[float]:
    """Mean joint distance of each pair of takes in metres."""
    return [float(np.linalg.norm(one - other, axis=-1).mean()) for one, other in zip(ones, others, strict=True)]


def test_takes_are_those_of_the_processor() -> None:
    assert max(distances(takes("cuda"), takes("cpu"))) < 0.01


def test_bfloat16_takes_are_those_of_float32() -> None:
    assert np.mean(distances(takes("cuda", "bfloat16"), takes("cuda"))) < 0.01


def test_no_denoising_step_waits_for_the_gpu() -> None:
    device = torch.device("cuda")
    loaded = Generator.load(device="cuda").model
    model: ReMoDiffuse = loaded.network
    config = model.config
    text = model.encode_text(torch.randn(1, 7, config.token_width, device=device), None)
    conditions = model.denoiser.condition(text, None).repeated(2)
    schedule = Schedule.sampling(config.diffusion)
    noise = torch.from_numpy(np.stack([take_noise(seed, 80, config.features) for seed in (0, 1)])).to(device)
    mask = torch.ones(2, 80, dtype=torch.bool, device=device)
    syncs = []
    # The first call fills caches that may wait.
    for progress in (None, lambda step, _: torch.cuda.set_sync_debug_mode("error" if step else "default")):
        try:
            made = sample(
                model.denoiser,
                conditions,
                mask,
                noise,
                take_coins([0, 1], len(schedule)),
                schedule,
                replace(config.mixture),
                progress=progress,
            )
        finally:
            torch.cuda.set_sync_debug_mode("default")
        syncs.append(made)
    assert torch.isfinite(syncs[1]).all()


def test_the_gpu_is_given_back() -> None:
    generator = Generator.load(device="cuda")
    generator.generate(Request(PROMPTS[0], 4.0, 0, 4))
    assert torch.cuda.memory_allocated() > 20e6
    del generator
    memory.release()
    # cuBLAS keeps a workspace of 32 MiB.
    assert torch.cuda.memory_allocated() < 40e6
    assert memory.held("cuda:0") < 60e6
