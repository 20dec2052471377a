# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend evaluate exam`: how many takes do what their prompt says, and how well they move."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, astuple, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ..errors import BackendError
from ..generate import Generator
from ..motion.rebuild import rebuilt
from ..motion.skeleton import FPS
from ..request import Request
from .exam import LENGTHS, Prompt, passes, prompts
from .measures import Measures
from .quality import Quality, slide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..motion.clip import Motion

    Sample = Callable[[str, int, int], Motion]

FIRST_SEED: Final = 100


@dataclass(frozen=True, slots=True)
class Score:
    """One way of sampling. `plain` and `reworded`: passed share per rule; the rest as in `quality`, over all takes;
    `variety`: mean joint distance between seeds of a prompt, pelvis removed, metres."""

    way: str
    plain: dict[str, float]
    reworded: dict[str, float]
    skate: float
    slide: float
    penetration: float
    jerk: float
    variety: float

    @property
    def passed(self) -> tuple[float, float]:
        """Mean over the rules, plain and reworded."""
        return float(np.mean(list(self.plain.values()))), float(np.mean(list(self.reworded.values())))


def exam(way: str, sample: Sample, questions: Sequence[Prompt], seeds: int) -> Score:
    """Let `sample(prompt, frames, seed)` sit the exam."""
    shares: list[dict[str, float]] = [{}, {}]
    qualities: list[Quality] = []
    slides: list[float] = []
    distances: list[float] = []
    for question in questions:
        for share, texts in zip(shares, ((question.plain,), question.reworded), strict=True):
            marks = []
            for text in texts:
                takes = [
                    sample(text, LENGTHS[number % len(LENGTHS)], FIRST_SEED + 16 * number) for number in range(seeds)
                ]
                marks += [passes(question.rule, Measures(take.positions.astype(np.float64))) for take in takes]
                qualities += [Quality.of(take.positions) for take in takes]
                slides += [slide(take) for take in takes]
                distances += [_distance(a, b) for a, b in combinations(takes, 2)]
            share[question.rule] = float(np.mean(marks))
    skate, penetration, jerk = np.mean([astuple(each) for each in qualities], axis=0).tolist()
    variety = float(np.mean(distances)) if distances else 0.0
    plain, reworded = shares
    return Score(way, plain, reworded, skate, float(np.mean(slides)), penetration, jerk, variety)


def _distance(a: Motion, b: Motion) -> float:
    frames = min(a.frames, b.frames)
    relative = [take.positions[:frames] - take.positions[:frames, :1] for take in (a, b)]
    return float(np.linalg.norm(relative[0] - relative[1], axis=-1).mean())


def taken_from(generator: Generator, quality: str = "full") -> Sample:
    """Its first take."""
    return lambda text, frames, seed: generator.generate(Request(text, frames / FPS, seed, quality=quality))[0].motion


def ways(generator: Generator) -> dict[str, Sample]:
    """The model as it ships, from pure noise, without any library, and retrieval alone."""

    def retrieval(text: str, frames: int, seed: int) -> Motion:
        origin = generator.origin(Request(text, frames / FPS, seed))
        if origin is None:
            raise BackendError(
                "library_empty", "The libraries hold no clip.", "Name a library, or leave out the way retrieval."
            )
        return rebuilt(*origin.fitted(frames), FPS)

    noise = generator.with_sampler(replace(generator.model.card.sampler, start_timestep=0))
    alone = Generator(noise.model, generator.encoder, [])
    return {
        "full": taken_from(generator),
        "noise": taken_from(noise),
        "no library": taken_from(alone),
        "retrieval": retrieval,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Judge a model by the prompt exam (docs/prompt-exam.md)."""
    argv = sys.argv[2:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m backend evaluate", description=main.__doc__)
    parser.add_argument("what", choices=("exam",))
    parser.add_argument("--prompts", type=Path, help="other prompts, a file like backend/training/exam.toml")
    parser.add_argument("--model", type=Path, help="model folder (default: the starter model)")
    parser.add_argument("--library", type=Path, action="append", help="instead of the model's own; may be repeated")
    parser.add_argument("--way", action="append", choices=("full", "noise", "no library", "retrieval"))
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)

    generator = Generator.load(options.model, options.library)
    questions = prompts(options.prompts)
    scores = []
    for way, sample in ways(generator).items():
        if options.way is None or way in options.way:
            scores.append(exam(way, sample, questions, options.seeds))
            if not options.json:
                sys.stdout.write(_table(scores[-1]))
                sys.stdout.flush()
    if options.json:
        rows = [
            asdict(score) | dict(zip(("plain_mean", "reworded_mean"), score.passed, strict=True)) for score in scores
        ]
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    return 0


def _table(score: Score) -> str:
    plain, reworded = score.passed
    lines = [
        f"{score.way}: plain {plain:.0%}, reworded {reworded:.0%}, skate {100 * score.skate:.1f} cm/s, "
        f"slide {100 * score.slide:.1f} cm/s, "
        f"penetration {score.penetration:.1%}, jerk {score.jerk:.0f} m/s3, variety {score.variety:.3f} m"
    ]
    lines += [f"  {rule:15} {score.plain[rule]:5.0%} {score.reworded[rule]:5.0%}" for rule in score.plain]
    return "\n".join(lines) + "\n"
