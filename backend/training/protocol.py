# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluation protocol of the paper, on the held-out clips of a training set and with an evaluator of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ..errors import BackendError
from ..motion.skeleton import FPS
from ..request import MAX_COUNT, MIN_FRAMES, Request
from .data.prepare import LAYOUT
from .text_motion import AMONG, Embedded, Interval, replicated

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ..generate import Generator
    from .data.prepare import TrainingSet
    from .evaluator import TextMotionEvaluator

    Make = Callable[[str, int, int, int], list[NDArray[np.floating]]]

GENERATIONS: Final = 30
"""Of each text, for multimodality."""
REPEATED_TEXTS: Final = 100


def made_by(generator: Generator, quality: str = "full") -> Make:
    """(text, frames, seed, count) -> features (T, F) of takes."""

    def make(text: str, frames: int, seed: int, count: int) -> list[NDArray[np.floating]]:
        takes = []
        for first in range(0, count, MAX_COUNT):
            wanted = min(MAX_COUNT, count - first)
            request = Request(text, frames / FPS, seed + first, wanted, quality)
            takes += [
                LAYOUT.encode(take.motion.positions.astype(np.float64), take.motion.contacts.astype(np.float64))
                for take in generator.generate(request)
            ]
        return takes

    return make


def protocol(
    data: TrainingSet,
    held_out: NDArray[np.integer],
    evaluator: TextMotionEvaluator,
    embed_texts: Callable[[list[str]], NDArray[np.float64]],
    make: Make,
    replications: int,
    repeated_texts: int = REPEATED_TEXTS,
    generations: int = GENERATIONS,
) -> dict[str, Interval]:
    """Every measure of `text_motion.replicated`. A replication picks a caption of each clip and samples it anew.

    Raises BackendError where fewer clips are held out than a text must choose among.
    """
    held_out = np.array([window for window in held_out if data.lengths[window] >= MIN_FRAMES])
    if len(held_out) < AMONG:
        raise BackendError(
            "no_data",
            f"Only {len(held_out)} clips are held out for tests; the protocol needs at least {AMONG}.",
            "Prepare a larger training set.",
        )
    ends = np.cumsum(data.lengths)
    real_rows = [data.rows[ends[window] - data.lengths[window] : ends[window]] for window in held_out]
    real = evaluator.embed(real_rows)

    def replication(number: int) -> Embedded:
        rng = np.random.default_rng(np.random.SeedSequence(number, spawn_key=(1,)))
        texts = [str(rng.choice(data.captions[window])) for window in held_out]
        seeds = rng.integers(0, 2**30, len(texts))
        frames = [len(rows) for rows in real_rows]
        made = [make(text, length, int(seed), 1)[0] for text, length, seed in zip(texts, frames, seeds, strict=True)]
        repeats = None
        if repeated_texts and generations > 1:
            chosen = rng.choice(len(texts), min(repeated_texts, len(texts)), replace=False)
            repeats = np.stack(
                [evaluator.embed(make(texts[one], frames[one], int(seeds[one]), generations)) for one in chosen]
            )
        return Embedded(embed_texts(texts), real, evaluator.embed(made), repeats)

    return replicated(replication, replications)
