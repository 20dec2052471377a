# SPDX-License-Identifier: GPL-3.0-or-later
"""From a training run to what ships: the model folder and the starter library.

The starter library holds only what our own model sampled. Its references while sampling are the training windows, in a
library that stays in the run's folder; of several samples the one is kept that does what its prompt says (the exam's
rules, where one fits) and moves best.
"""

from __future__ import annotations

import json
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import torch

from ..errors import BackendError
from ..generate import Generator
from ..library import Clip, Library
from ..library.connection import remove_companions
from ..library.fit import fitted
from ..model.importer import FAMILIES
from ..model_card import ModelCard, SamplerConfig, read_card
from ..model_folder import CARD, LIBRARY, save_model
from ..request import MIN_FRAMES, Request
from ..text import load_encoder
from ..text.subject import WHO, neutral
from .data.captions import texts_of
from .data.prepare import LAYOUT, TrainingSet
from .exam import RULES, passes
from .measures import Measures
from .quality import Quality
from .trainer import ENCODER, read_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ..request import Take
    from .config import RunConfig

LICENCE: Final = "CC0-1.0"
TRAINING_SET: Final = "training set"
SOURCE: Final = "sampled by starter model"
STARTS: Final = (500, 220, 110, 55)
"""Timesteps from which a library clip is sampled, one after the other until it passes."""

WISHES: Final = (80, 100, 120)
"""Frames that takes are often asked for: a clip is wanted that still shows what it is called when it is as long."""

RELIABLE, WEAK = 0.9, 0.5
"""Shares of takes that pass, plain and reworded: from the first one on the card lists a prompt of the exam as reliable,
below the second one as weak."""

CAPTIONS: Final = 64
"""Captions of a library clip at most: the more ways to say it, the more prompts find it."""

CLIPS_OF_KIND: Final = (2, 5)
"""Fewest and most clips of one kind of motion; more where there is more of it in the data."""

CLIPS_IN_A_ROW: Final = 24

# Kinds of motion that must pass an exam rule; the others are judged by how they move alone.
_KINDS_OF_RULE: Final = {
    "walk": ("forward", "cc0_walk", "cc0_walk_formal"),
    "walk_slowly": ("slow",),
    "walk_fast": ("brisk",),
    "jog": ("cc0_jog",),
    "sprint": ("cc0_sprint", "cc0_run_anime"),
    "side_left": ("left",),
    "side_right": ("right",),
    "turn_around": ("around_left", "around_right"),
    "circle": ("circle_left", "circle_right"),
    "punch": ("punch", "cc0_jab", "cc0_cross", "cc0_left_jab", "cc0_right_jab"),
    "throw": ("cc0_throw",),
    "wave_right": ("wave_high_right",),
    "wave_left": ("wave_high_left",),
    "sitting": ("cc0_sitting", "cc0_sit_talk"),
    "descend": ("ladder_down", "steps_down"),
    "crouch_still": ("cc0_crouch",),
    "pushup": ("cc0_pushup",),
    "lie": ("cc0_sleep",),
    "fall": ("cc0_death",),
    "roll": ("cc0_roll",),
    "swim": ("cc0_swim",),
    "sit_down": ("sit_down", "cc0_sit_down"),
    "stand_up": ("stand_up", "cc0_stand_up"),
    "dance": ("salsa", "cc0_charleston", "cc0_dance"),
    "climb": ("climb", "ladder", "steps"),
    "idle": ("still", "cc0_idle", "cc0_listen"),
    "walk_and_wave": tuple(f"forward_and_wave{how}_{side}" for how in ("", "_high") for side in ("right", "left")),
    "drink": ("drink_right", "drink_left"),
    "walk_and_drink": ("forward_and_drink_right", "forward_and_drink_left"),
    "crouch": ("cc0_sneak",),
    "crawl": ("cc0_crawl",),
    "jacks": ("jacks", "cc0_jacks"),
    "bow": ("cc0_bow",),
}
_RULE_OF_KIND: Final = {kind: rule for rule, kinds in _KINDS_OF_RULE.items() for kind in kinds}


def export_model(config: RunConfig, checkpoint: Path, folder: Path, sampler: SamplerConfig) -> ModelCard:
    """Write the averaged weights of a run as a model folder."""
    state = read_state(checkpoint)
    official = FAMILIES.get(config.model.features)
    facts = {"name": "starter", "version": "0.1.0", "licence": LICENCE} | config.card
    card = ModelCard(
        name=facts.pop("name"),
        version=facts.pop("version"),
        licence=facts.pop("licence"),
        encoder=read_card(Path(config.start) / CARD).encoder if config.start else ENCODER,
        config=config.model,
        layout=official.layout if official else LAYOUT,
        # Where features hold rotations no reference can be made of a clip to begin with.
        sampler=SamplerConfig() if official else sampler,
        training=facts
        | {
            "iterations": state["iteration"] + state["earlier"]["iterations"],
            "hours": round(state["seconds"] / 3600 + state["earlier"]["hours"], 2),
        },
    )
    return save_model(folder, card, state["average"], state["mean"], state["deviation"])


def read_results(path: Path) -> list[dict[str, Any]]:
    """What `evaluate exam --json` printed. Raises BackendError where the file holds something else."""
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        if {"plain", "reworded"} <= next(row for row in results if row["way"] == "full").keys():
            return results
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        pass
    raise BackendError(
        "bad_results",
        f"{path} holds no results of the exam with the way full.",
        "Write them with: python -m backend evaluate exam --json",
    )


def record_results(folder: Path, results: list[dict[str, Any]]) -> None:
    """Write what `evaluate exam --json` printed into the model's card: per way of sampling its scores, and the prompts
    that the way it ships with answers nearly always and least often, in whatever words."""
    card = read_card(folder / CARD)
    ways = {}
    for row in results:
        scores = {key: round(value, 4) for key, value in row.items() if isinstance(value, float)}
        ways[row["way"].replace(" ", "_")] = scores
    full = next(row for row in results if row["way"] == "full")
    least = {rule: min(passed, full["reworded"][rule]) for rule, passed in full["plain"].items()}
    weak = [rule for rule, passed in least.items() if passed < WEAK]
    reliable = [rule for rule, passed in least.items() if passed >= RELIABLE]
    facts = card.training | {"reliable_prompts": reliable, "weak_prompts": weak, "exam": ways}
    draft = folder / (CARD + ".new")
    draft.write_text(replace(card, training=facts).to_toml(), encoding="utf-8")
    draft.replace(folder / CARD)


def training_library(data: TrainingSet, path: Path) -> None:
    """The training windows as a library to sample from; there as a whole or not at all. Never ships."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with Library.create(draft, TRAINING_SET) as library:
        for number, rows in enumerate(_windows(data)):
            positions, contacts = LAYOUT.decode(rows.astype(np.float64))
            library.add(
                Clip(
                    tuple(dict.fromkeys(map(neutral, data.captions[number])))[:2],
                    positions.astype(np.float32),
                    contacts.clip(0, 1).astype(np.float32),
                    data.sources[number],
                    " / ".join(data.licences),
                    (data.groups[number],),
                )
            )
        library.index(load_encoder(ENCODER))
        library.seal()
    draft.replace(path)


def _windows(data: TrainingSet) -> Iterator[np.ndarray]:
    ends = np.cumsum(data.lengths)
    for end, length in zip(ends, data.lengths, strict=True):
        yield data.rows[end - length : end]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One clip of the starter library to be."""

    kind: str
    captions: tuple[str, ...]
    seconds: float


def plan(data: TrainingSet, seed: int = 0) -> list[Wanted]:
    """What the starter library should hold: some clips of every kind of motion, and of two motions in a row."""
    rng = random.Random(seed)  # noqa: S311 - choice of prompts, no secret
    by_kind: dict[str, list[int]] = {}
    shows: dict[int, int] = {}
    for number, (kind, rows) in enumerate(zip(data.groups, _windows(data), strict=True)):
        by_kind.setdefault(kind, []).append(number)
        if (rule := _rule(kind)) is not None:
            positions, contacts = LAYOUT.decode(rows.astype(np.float64))
            shows[number] = _shown(rule, positions.astype(np.float32), contacts.astype(np.float32))
    wanted = []
    for kind, windows in sorted(by_kind.items()):
        # A window that shows its kind at every length is what a good clip is sampled from.
        best = max(shows.get(number, 0) for number in windows)
        numbers = [number for number in windows if shows.get(number, 0) == best]
        fewest, most = (CLIPS_IN_A_ROW,) * 2 if kind == "in_a_row" else CLIPS_OF_KIND
        count = max(fewest, min(most, round(len(numbers) ** 0.25)))
        for number in rng.sample(numbers, min(count, len(numbers))):
            own = [neutral(caption) for caption in data.captions[number]]
            others = [f"{WHO} {phrase}" for phrase in texts_of(kind)]
            captions = tuple(dict.fromkeys(own + rng.sample(others, len(others))))[:CAPTIONS]
            wanted.append(Wanted(kind, captions, max(MIN_FRAMES, int(data.lengths[number])) / 20.0))
    return wanted


def starter_library(
    folder: Path,
    references: Path,
    wanted: list[Wanted],
    samples: int,
    progress: Callable[[int, int], None],
    workers: int = 1,
) -> int:
    """Sample the library of the model in `folder`, beside its weights; the number of its clips. The same inputs give
    the same file, whatever the number of processes that share the work.

    A sample that fails the rule of its kind is sampled again, closer and closer to its reference; what never passes is
    left out, because a reference that does not do what its caption says misleads every take that uses it.
    """
    draft = folder / (LIBRARY + ".new")
    draft.unlink(missing_ok=True)
    known = _clips_of_windows(references)
    requests = []
    for number, one in enumerate(wanted):
        request = Request(one.captions[0], one.seconds, seed=1000 + 16 * number, count=samples)
        # The window that the words are from: what words alone would find may be another kind of motion.
        own = known.get((one.kind, one.captions[0], request.frames))
        pinned = () if own is None else ((TRAINING_SET, own),)
        requests.append((replace(request, pinned=pinned), _rule(one.kind)))
    kept = 0
    with (
        Library.create(draft, "starter library") as library,
        ProcessPoolExecutor(workers, get_context("spawn"), _Worker.start, (folder, references)) as pool,
    ):
        for number, (one, best) in enumerate(zip(wanted, pool.map(_Worker.best, requests), strict=True)):
            progress(number + 1, len(wanted))
            if best is not None:
                positions, contacts = best
                library.add(Clip(one.captions, positions, contacts, SOURCE, LICENCE, (one.kind,)))
                kept += 1
        library.index(load_encoder(ENCODER))
        library.seal()
    remove_companions(folder / LIBRARY)
    draft.replace(folder / LIBRARY)
    return kept


def _clips_of_windows(references: Path) -> dict[tuple[str, str, int], int]:
    """(kind, caption, frames) -> clip of the training library."""
    with Library.open(references) as library:
        clips = {number: library.clip(number) for number in reversed(library.clips())}
    return {(clip.tags[0], caption, clip.frames): number for number, clip in clips.items() for caption in clip.captions}


class _Worker:
    """A process of its own that samples. One thread each, so that sums come out the same on every machine."""

    generators: ClassVar[list[Generator]] = []

    @classmethod
    def start(cls, folder: Path, references: Path) -> None:
        torch.set_num_threads(1)
        loaded = Generator.load(folder, [references])
        sampler = loaded.model.card.sampler
        cls.generators = [
            loaded.with_sampler(replace(sampler, start_timestep=start, start_score=0.0, start_margin=0.0))
            for start in STARTS
        ]

    @classmethod
    def best(cls, wanted: tuple[Request, str | None]) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Positions and contacts of the best take, if any passes."""
        take = _best(cls.generators, *wanted)
        return None if take is None else (take.motion.positions, take.motion.contacts)


def _rule(kind: str) -> str | None:
    return kind if kind in RULES else _RULE_OF_KIND.get(kind)


def _best(generators: list[Generator], request: Request, rule: str | None) -> Take | None:
    """Of the takes that pass the rule the one that moves best; None where none does."""
    origin = generators[0].origin(request)
    wanted = None if origin is None else _vigour(origin.fitted(request.frames)[0])
    fit: list[tuple[int, float, Take]] = []
    for generator in generators:
        for take in generator.generate(request):
            motion = take.motion
            shown = len(WISHES) if rule is None else _shown(rule, motion.positions, motion.contacts)
            if rule is None or passes(rule, Measures(motion.positions.astype(float))):
                fit.append((-shown, _clumsiness(take, wanted), take))
        if any(-shown == len(WISHES) for shown, _, _ in fit):
            break
    return min(fit, key=lambda each: each[:2])[2] if fit else None


def _shown(rule: str, positions: NDArray[np.float32], contacts: NDArray[np.float32]) -> int:
    """At how many of the lengths in WISHES a clip, fitted to them as retrieval does, passes a rule of the exam."""
    takes = (fitted(positions, contacts, frames)[0] for frames in WISHES)
    return sum(bool(passes(rule, Measures(take.astype(float)))) for take in takes)


def _clumsiness(take: Take, vigour: float | None) -> float:
    """How far a take goes beyond what looks right, and how much more or less it moves than what it was sampled from.

    Without the latter the calmest take would win, and takes that start from it would be calmer still.
    """
    quality = Quality.of(take.motion.positions)
    wrong = (quality.skate / 0.3, quality.penetration / 0.05, quality.jerk / 150.0)
    beyond = sum(max(each - 1.0, 0.0) for each in wrong)
    return beyond + (abs(float(np.log(_vigour(take.motion.positions) / vigour))) if vigour else 0.0)


def _vigour(positions: NDArray[np.float32]) -> float:
    """Mean speed of the joints beside the pelvis, m/s."""
    return float(Measures(positions.astype(float)).relative_speed.mean()) + 0.01
