# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the sampler on this machine, against its matmul peak and against sampling without shortcuts."""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from .device import choose_device
from .diffusion import Schedule, sample, take_coins, take_noise
from .diffusion.plain import sample_plainly
from .model import ModelConfig, ReMoDiffuse
from .model_folder import STARTER, load_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from .model import ReferenceCondition, TextCondition

BATCHES: Final = (1, 4)
PROMPT_TOKENS: Final = 77
RUNS: Final = 3
PEAK_SIZES: Final = (256, 512, 1024, 2048, 4096)
PEAK_RUNS: Final = 10
PEAK_SECONDS: Final = 0.03


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: `batch` takes of one prompt, as long as the model allows, from encoded words to clean motion."""

    model: str
    precision: str
    batch: int
    seconds_per_clip: float
    gflop_per_clip: float
    peak_gflops: float
    fraction_of_peak: float
    ratio_to_plain: float


def bench(name: str, network: ReMoDiffuse, device: torch.device) -> list[Row]:
    """A row per precision and batch size. bfloat16 is left out where its matmul is no faster than float32's."""
    rows = []
    peaks = {precision: matmul_peak(precision, device) for precision in (torch.float32, torch.bfloat16)}
    for precision, peak in peaks.items():
        if precision != torch.float32 and peak <= peaks[torch.float32]:
            continue
        with _reduced(precision, device):
            plain = _seconds(lambda: _Work(network, 1, device).plain(), device, runs=1)
            for batch in BATCHES:
                work = _Work(network, batch, device)
                with FlopCounterMode(display=False) as counter:
                    work.fast()
                gflop = counter.get_total_flops() / 1e9
                seconds = _seconds(work.fast, device, RUNS)
                rows.append(
                    Row(
                        model=name,
                        precision=str(precision).removeprefix("torch."),
                        batch=batch,
                        seconds_per_clip=seconds / batch,
                        gflop_per_clip=gflop / batch,
                        peak_gflops=peak,
                        fraction_of_peak=gflop / seconds / peak,
                        ratio_to_plain=plain * batch / seconds,
                    )
                )
    return rows


def matmul_peak(precision: torch.dtype, device: torch.device) -> float:
    """GFLOP/s of the best of several square matrix products, growing until one takes longer than PEAK_SECONDS."""
    best = 0.0
    for size in PEAK_SIZES:
        matrix = torch.randn(size, size, device=device).to(precision)
        seconds = _seconds(partial(torch.matmul, matrix, matrix), device, PEAK_RUNS)
        best = max(best, 2 * size**3 / seconds / 1e9)
        if seconds > PEAK_SECONDS:
            break
    return best


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m backend bench --model t2m|starter [--json]`."""
    parser = argparse.ArgumentParser(prog="backend bench", description=__doc__)
    parser.add_argument("--model", choices=("t2m", "starter"), default="t2m", help="official sizes, or what ships")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    arguments = parser.parse_args(argv)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    device = torch.device(choose_device(arguments.device))
    network = load_model(STARTER, device).network if arguments.model == "starter" else _official_size(device)
    rows = [asdict(row) for row in bench(arguments.model, network, device)]
    if arguments.json:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    else:
        sys.stdout.writelines("  ".join(f"{key} {_short(value)}" for key, value in row.items()) + "\n" for row in rows)
    return 0


class _Work:
    """One prompt with two references, random but fixed, and everything drawn for some takes of it."""

    def __init__(self, network: ReMoDiffuse, batch: int, device: torch.device) -> None:
        config = network.config
        torch.manual_seed(0)
        self.network = network
        self.batch = batch
        self.schedule = Schedule.sampling(config.diffusion)
        frames, references = config.max_frames, config.references
        self.tokens = torch.randn(1, PROMPT_TOKENS, config.token_width, device=device)
        self.motions = torch.randn(1, references, frames, config.features, device=device)
        self.lengths = torch.full((1, references), frames, device=device)
        self.captions = torch.randn(1, references, PROMPT_TOKENS, config.reference_token_width, device=device)
        noise = np.stack([take_noise(seed, frames, config.features) for seed in range(batch)])
        self.noise = torch.from_numpy(noise).to(device)
        self.coins = take_coins(range(batch), len(self.schedule))
        self.mask = torch.ones(batch, frames, dtype=torch.bool, device=device)

    @torch.inference_mode()
    def fast(self) -> Tensor:
        conditions = self.network.denoiser.condition(*self.encode()).repeated(self.batch)
        return sample(
            self.network.denoiser,
            conditions,
            self.mask,
            self.noise,
            self.coins,
            self.schedule,
            self.network.config.mixture,
        )

    @torch.inference_mode()
    def plain(self) -> Tensor:
        """One take only: it has no way to share a prompt's conditions."""
        return sample_plainly(
            self.network,
            *self.encode(),
            self.mask[:1],
            self.noise[:1],
            self.coins[:, :1],
            self.schedule,
            self.network.config.mixture,
        )

    def encode(self) -> tuple[TextCondition, ReferenceCondition]:
        return (
            self.network.encode_text(self.tokens),
            self.network.encode_references(self.motions, self.lengths, self.captions),
        )


def _official_size(device: torch.device) -> ReMoDiffuse:
    """The official HumanML3D model's sizes with random weights, none of them zero."""
    torch.manual_seed(0)
    network = ReMoDiffuse(ModelConfig(features=263))
    with torch.no_grad():
        for weights in network.parameters():
            if not weights.any():
                weights.normal_(std=0.02)
    return network.to(device).eval()


def _seconds(work: Callable[[], object], device: torch.device, runs: int) -> float:
    """The shortest of several runs."""
    best = float("inf")
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        if device.type != "cpu":
            torch.get_device_module(device).synchronize()
        best = min(best, time.perf_counter() - begin)
    return best


def _reduced(precision: torch.dtype, device: torch.device) -> AbstractContextManager[object]:
    return nullcontext() if precision == torch.float32 else torch.autocast(device.type, precision)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
