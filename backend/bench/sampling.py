# SPDX-License-Identifier: GPL-3.0-or-later
"""The sampler on this machine, against its matmul peak and against sampling without shortcuts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ..diffusion import Schedule, sample, take_coins, take_noise
from ..diffusion.plain import sample_plainly
from ..model import ModelConfig, ReMoDiffuse, packed
from ..model.packed import PackedLinear, can_pack
from ..precision import PRECISIONS, precise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from ..model import Denoiser, ReferenceCondition, TextCondition

BATCHES: Final = (1, 4)
PROMPT_TOKENS: Final = 77
RUNS: Final = 3
PEAK_SIZES: Final = (256, 512, 1024, 2048, 4096)
PEAK_RUNS: Final = 10
PEAK_SECONDS: Final = 0.2


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


def bench(
    name: str,
    network: ReMoDiffuse,
    device: torch.device,
    precisions: Sequence[str] | None = None,
    told: Callable[[str], object] = lambda words: None,
    batches: Sequence[int] = BATCHES,
) -> list[Row]:
    """A row per precision and batch size.

    Unless `precisions` asks for it, bfloat16 is left out where its matrix products are no faster than float32's, and
    `told` how fast they are.
    """
    rows = []
    single = matmul_peak(torch.float32, device)
    for precision in precisions or PRECISIONS:
        peak = single if precision == "float32" else matmul_peak(PRECISIONS[precision], device)
        if precisions is None and peak < single:
            told(f"No rows for {precision}: {peak:.0f} GFLOP/s at most on this device, float32 has {single:.0f}.")
            continue
        plain = seconds_of(Work(network, 1, device, precision).plain, device, runs=1)
        for batch in batches:
            work = Work(network, batch, device, precision)
            gflop = work.gflop()
            seconds = seconds_of(work.fast, device, RUNS)
            rows.append(
                Row(
                    model=name,
                    precision=precision,
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
    """GFLOP/s of the best of several square matrix products, growing until one takes longer than PEAK_SECONDS.

    A processor without instructions for a precision may be a thousand times slower in it than in float32.
    """
    best = 0.0
    for size in PEAK_SIZES:
        seconds = min(_shortest(product, device) for product in _products(size, precision, device))
        best = max(best, 2 * size**3 / seconds / 1e9)
        if seconds > PEAK_SECONDS:
            break
    return best


@torch.inference_mode()
def _products(size: int, precision: torch.dtype, device: torch.device) -> Iterator[Callable[[], Tensor]]:
    """The same product by each library that the sampler may use."""
    matrix = torch.randn(size, size, device=device).to(precision)
    yield partial(torch.matmul, matrix, matrix)
    if can_pack(device, precision):
        yield partial(PackedLinear(nn.Linear(size, size), precision), matrix)


def _shortest(product: Callable[[], object], device: torch.device) -> float:
    """Seconds; a slow product is not repeated."""
    seconds_of(product, device, 1)  # the first one may have to load a library
    once = seconds_of(product, device, 1)
    return once if once > PEAK_SECONDS else min(once, seconds_of(product, device, PEAK_RUNS))


class Work:
    """One prompt with two references, random but fixed, and everything drawn for some takes of it, of `frames` frames
    or as long as the model allows."""

    def __init__(
        self, network: ReMoDiffuse, batch: int, device: torch.device, precision: str, frames: int | None = None
    ) -> None:
        config = network.config
        torch.manual_seed(0)
        self.network = network
        self.batch = batch
        self.precision, self.device = precision, device
        self.schedule = Schedule.sampling(config.diffusion)
        longest, references = config.max_frames, config.references
        frames = frames or longest
        self.tokens = torch.randn(1, PROMPT_TOKENS, config.token_width, device=device)
        self.motions = torch.randn(1, references, longest, config.features, device=device)
        self.lengths = torch.full((1, references), longest, device=device)
        self.captions = torch.randn(1, references, PROMPT_TOKENS, config.reference_token_width, device=device)
        noise = np.stack([take_noise(seed, frames, config.features) for seed in range(batch)])
        self.noise = torch.from_numpy(noise).to(device)
        self.coins = take_coins(range(batch), len(self.schedule))
        self.mask = torch.ones(batch, frames, dtype=torch.bool, device=device)
        self.denoiser = packed(network.denoiser, PRECISIONS[precision])

    def fast(self) -> Tensor:
        return self.take(self.denoiser)

    def gflop(self) -> float:
        """Counted, for all takes together; packed products are not counted, so it takes the plain ones."""
        with FlopCounterMode(display=False) as counter:
            self.take(self.network.denoiser)
        return counter.get_total_flops() / 1e9

    @torch.inference_mode()
    def take(self, denoiser: Denoiser) -> Tensor:
        conditions = self.network.denoiser.condition(*self.encode()).repeated(self.batch)
        with precise(self.precision, self.device):
            return sample(
                denoiser,
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
        encoded = self.encode()
        with precise(self.precision, self.device):
            return sample_plainly(
                self.network,
                *encoded,
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


def official_size(features: int, device: torch.device) -> ReMoDiffuse:
    """An official model's sizes with random weights, none of them zero; 263 features for t2m, 251 for kit."""
    torch.manual_seed(0)
    network = ReMoDiffuse(ModelConfig(features=features))
    with torch.no_grad():
        for weights in network.parameters():
            if not weights.any():
                weights.normal_(std=0.02)
    return network.to(device).eval()


def seconds_of(work: Callable[[], object], device: torch.device, runs: int) -> float:
    """The shortest of several runs."""
    best = float("inf")
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        if device.type != "cpu":
            torch.get_device_module(device).synchronize()
        best = min(best, time.perf_counter() - begin)
    return best
