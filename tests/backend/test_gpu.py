# SPDX-License-Identifier: GPL-3.0-or-later
"""What only a machine with a CUDA GPU can show."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from serving import ROOT, finish, poll_until

from backend import memory
from backend.diffusion import Schedule, sample, take_coins, take_noise
from backend.generate import Generator
from backend.request import Request
from remodiffuse_blender.client.client import Client, State
from remodiffuse_blender.client.command import Command
from remodiffuse_blender.client.job import Job, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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


def free() -> int:
    """Bytes of the GPU that nobody holds, whichever process."""
    memory.release()
    return torch.cuda.mem_get_info()[0]


@contextmanager
def crowded(left: float) -> Iterator[None]:
    """Another program holds all of the GPU but so many bytes."""
    held = []
    piece = free() - left
    # What is free is not in one piece.
    while piece > 2**21:
        try:
            held.append(torch.empty(int(piece), dtype=torch.uint8, device="cuda"))
            piece = torch.cuda.mem_get_info()[0] - left
        except torch.OutOfMemoryError:
            piece /= 2
    try:
        yield
    finally:
        held.clear()
        memory.release()


def serve(*words: str) -> Command:
    return Command((sys.executable, "-m", "backend", "serve", "--device", "cuda", *words), ROOT)


def ask(client: Client, command: Command, request: Request) -> Job:
    return finish(client, client.generate(request, command), timeout=180)


@pytest.mark.fault("out of memory")
def test_on_a_crowded_gpu_the_same_takes_come_in_smaller_batches(
    client: Client, wide_model: Path, record_property: Callable
) -> None:
    command = serve("--model", str(wide_model))
    much = Request(PROMPTS[0], 9.8, seed=3, count=16)
    batches = {}
    for megabytes in (0, 16, 32, 64, 128, 256):
        assert ask(client, command, Request(PROMPTS[0], 1.0)).outcome is Outcome.DONE
        with crowded(megabytes * 1e6):
            job = ask(client, command, much)
        if job.outcome is Outcome.DONE:
            assert [take.provenance.seed for take in job.takes] == list(range(3, 19))
            batches[megabytes] = job.batch
        else:
            assert job.error
            assert job.error.code == "out_of_memory"
            assert "shorter clip" in job.error.remedy
            batches[megabytes] = 0
        assert ask(client, command, Request(PROMPTS[0], 1.0)).outcome is Outcome.DONE
    assert batches[0] < much.count
    assert any(0 < batch < much.count for batch in batches.values()), batches
    told = ", ".join(f"{batch} with {megabytes} MB" for megabytes, batch in batches.items())
    record_property("figure", f"takes at once on a GPU: {told}")


@pytest.mark.fault("model unloaded after idle minutes")
def test_an_idle_backend_gives_all_of_the_gpu_back_and_so_does_a_stopped_one(
    client: Client, record_property: Callable
) -> None:
    before = free()
    command = serve("--idle-minutes", "0.02")
    assert ask(client, command, Request(PROMPTS[0], 9.8, count=4)).outcome is Outcome.DONE
    busy = before - free()
    poll_until(client, lambda: client.state is State.IDLE)
    poll_until(client, lambda: client.pid is None)
    idle = before - free()
    assert busy > 200e6
    assert idle < 10e6
    assert client.state is State.IDLE
    assert ask(client, command, Request(PROMPTS[0], 1.0)).outcome is Outcome.DONE
    client.stop(wait_seconds=5)
    stopped = before - free()
    assert stopped < 10e6
    record_property(
        "figure", f"GPU memory: {busy / 1e6:.0f} MB at work, {idle / 1e6:.0f} MB idle, {stopped / 1e6:.0f} MB stopped"
    )
