# SPDX-License-Identifier: GPL-3.0-or-later
"""What a take costs by its length: a share that every prompt costs, and one that grows just as the frames do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .sampling import RUNS, Work, seconds_of

if TYPE_CHECKING:
    import torch

    from ..model import ReMoDiffuse

PARTS: Final = 4
"""Lengths that are measured: so many parts of the longest clip."""


@dataclass(frozen=True, slots=True)
class Row:
    """One take of `frames` frames, from encoded words to clean motion."""

    model: str
    precision: str
    frames: int
    seconds_per_clip: float
    gflop_per_clip: float


def measure_lengths(name: str, network: ReMoDiffuse, device: torch.device, precision: str = "float32") -> list[Row]:
    """A row for each of PARTS lengths, the last one the longest that the model allows."""
    rows = []
    for part in range(1, PARTS + 1):
        frames = max(network.config.max_frames * part // PARTS, 1)
        work = Work(network, 1, device, precision, frames)
        rows.append(Row(name, precision, frames, seconds_of(work.fast, device, RUNS), work.gflop()))
    return rows
