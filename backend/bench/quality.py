# SPDX-License-Identifier: GPL-3.0-or-later
"""What fewer steps and shorter numbers cost: the prompt exam and the distance to the full takes of the same seeds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ..generate import Generator
from ..motion.skeleton import FPS
from ..request import Request
from ..training.evaluate import exam
from ..training.exam import prompts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..motion.clip import Motion
    from ..training.exam import Prompt

WAYS: Final = (("full", "float32"), ("full", "bfloat16"), ("fast", "float32"))


@dataclass(frozen=True, slots=True)
class QualityRow:
    """`plain` and `reworded`: shares of the exam passed; skate (m/s), penetration (share), jerk (m/s3), variety (m) as
    in training.evaluate; `distance`: mean joint distance in metres to the full float32 take of the same seed."""

    quality: str
    precision: str
    seconds_per_take: float
    plain: float
    reworded: float
    skate: float
    penetration: float
    jerk: float
    variety: float
    distance: float


def measure_quality(
    model: Path, device: str, seeds: int, questions: Sequence[Prompt] | None = None, ways: Sequence = WAYS
) -> list[QualityRow]:
    """A row per way of sampling; the first is what the others are compared with."""
    rows: list[QualityRow] = []
    first: dict[tuple[str, int, int], np.ndarray] = {}
    for quality, precision in ways:
        generator = Generator.load(model, device=device, precision=precision)
        way = _Way(generator, quality, first)
        score = exam(quality, way, questions or prompts(None), seeds)
        plain, reworded = score.passed
        rows.append(
            QualityRow(
                quality,
                precision,
                way.seconds / way.takes,
                plain,
                reworded,
                score.skate,
                score.penetration,
                score.jerk,
                score.variety,
                float(np.mean(way.distances)),
            )
        )
    return rows


class _Way:
    """One way to sample, timed and compared with what the first way made of the same question."""

    def __init__(self, generator: Generator, quality: str, first: dict[tuple[str, int, int], np.ndarray]) -> None:
        self.generator, self.quality, self.first = generator, quality, first
        self.seconds, self.takes = 0.0, 0
        self.distances: list[float] = []

    def __call__(self, text: str, frames: int, seed: int) -> Motion:
        begin = time.perf_counter()
        request = Request(text, frames / FPS, seed, quality=self.quality)
        motion = self.generator.generate(request)[0].motion
        self.seconds += time.perf_counter() - begin
        self.takes += 1
        full = self.first.setdefault((text, frames, seed), motion.positions)
        self.distances.append(float(np.linalg.norm(motion.positions - full, axis=-1).mean()))
        return motion
