# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluation protocol of the paper: a replication picks a caption of each test motion and samples it anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ...errors import BackendError
from ...motion.skeleton import FPS
from ...request import MAX_COUNT, MAX_PROMPT, MAX_SECONDS, MIN_FRAMES, Request
from ..data.prepare import LAYOUT
from .guo import REACH
from .measures import AMONG, Embedded, Interval, replicated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ...generate import Generator
    from .cases import Caption, Case, Judge

    Rows = NDArray[np.floating]
    Make = Callable[[str, int, int, int], Sequence[Rows]]

GENERATIONS: Final = 30
"""Of each text, for multimodality."""
REPEATED_TEXTS: Final = 100
AT_ONCE: Final = 32
"""Motions that are kept before they are embedded."""


def made_by(generator: Generator, quality: str = "full") -> Make:
    """(text, frames, seed, count) -> features (T, F) of takes, of the model's own layout and frames.

    Of our own layout the takes are encoded again, as the animator gets them. Of an official one they are as the network
    made them, with what it made of the padding behind them: the official protocol shows that to its evaluators.
    """
    official = generator.model.card.layout.rotations

    def make(text: str, frames: int, seed: int, count: int) -> list[Rows]:
        made: list[Rows] = []
        for first in range(0, count, MAX_COUNT):
            wanted = min(MAX_COUNT, count - first)
            seconds = MAX_SECONDS if official else frames / FPS
            request = Request(text[:MAX_PROMPT], seconds, seed + first, wanted, quality)
            if official:
                made += list(generator.features(request, frames, REACH))
                continue
            made += [
                LAYOUT.encode(take.motion.positions.astype(np.float64), take.motion.contacts.astype(np.float64))
                for take in generator.generate(request)
            ]
        return made

    return make


def protocol(
    cases: Sequence[Case],
    judge: Judge,
    make: Make,
    longest: int,
    replications: int,
    repeated_texts: int = REPEATED_TEXTS,
    generations: int = GENERATIONS,
    told: Callable[[int, int], object] = lambda done, total: None,
) -> dict[str, Interval]:
    """Every measure of `measures.replicated`. Motions of more than `longest` frames are cut to a random window.

    Raises BackendError where there are fewer cases than a text must choose among.
    """
    cases = [case for case in cases if len(case.rows) >= MIN_FRAMES]
    if len(cases) < AMONG:
        raise BackendError(
            "no_data",
            f"Only {len(cases)} clips are held out for tests; the protocol needs at least {AMONG}.",
            "Choose a larger data set.",
        )
    repeated_texts = min(repeated_texts, len(cases)) if generations > 1 else 0
    whole = _whole(cases, judge, longest)
    steps, done = replications * (len(cases) + repeated_texts), 0

    def replication(number: int) -> Embedded:
        nonlocal done
        rng = np.random.default_rng(np.random.SeedSequence(number, spawn_key=(1,)))
        captions: list[Caption] = [case.captions[rng.integers(len(case.captions))] for case in cases]
        seeds = rng.integers(0, 2**30, len(cases))
        lengths = [min(len(case.rows), longest) for case in cases]
        real = whole.copy()
        for one, case in enumerate(cases):
            if len(case.rows) > longest:
                first = rng.integers(0, len(case.rows) - longest + 1)
                real[one] = judge.embed([case.rows[first : first + longest]], [longest])[0]

        def embedded(chosen: Sequence[int], count: int) -> NDArray[np.float64]:
            """Of `count` takes of each, one after another."""
            nonlocal done
            found: list[NDArray[np.float64]] = []
            motions: list[Rows] = []
            frames: list[int] = []
            for place, one in enumerate(chosen, start=1):
                motions += make(captions[one].text, lengths[one], int(seeds[one]), count)
                frames += [lengths[one]] * count
                done += 1
                told(done, steps)
                if len(motions) >= AT_ONCE or place == len(chosen):
                    found.append(judge.embed(motions, frames))
                    motions, frames = [], []
            return np.concatenate(found)

        made = embedded(range(len(cases)), 1)
        repeats = None
        if repeated_texts:
            chosen = rng.choice(len(cases), repeated_texts, replace=False).tolist()
            repeats = embedded(chosen, generations).reshape(repeated_texts, generations, -1)
        return Embedded(judge.embed_texts(captions), real, made, repeats)

    return replicated(replication, replications)


def _whole(cases: Sequence[Case], judge: Judge, longest: int) -> NDArray[np.float64]:
    """Embeddings (N, E) of the motions, cut at the end where they are too long."""
    motions = [case.rows[:longest] for case in cases]
    return judge.embed(motions, [len(rows) for rows in motions])
