# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend evaluate protocol`: the paper's measures, by Guo et al.'s evaluators or by our own."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...console.options import add_model_options
from ...console.terminal import ProgressLine
from ...errors import BackendError
from ...request import QUALITIES
from ..config import RunConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...generate import Generator
    from .cases import Case, Judge
    from .measures import Interval

OWN: Final = Path("runs/evaluator")


def main(argv: Sequence[str]) -> int:
    """Judge a model by R-precision, matching score, FID, diversity and multimodality on motions kept for tests."""
    options = _parser().parse_args(argv)
    if options.replications < 1 or (options.repeated_texts or 0) < 0 or options.generations < 1:
        raise BackendError(
            "bad_request", "There is nothing to repeat.", "Choose one replication and generation, or more."
        )

    from ...generate import Generator
    from ...threads import limit_threads
    from .protocol import REPEATED_TEXTS, made_by, protocol

    limit_threads(None)
    generator = Generator.load(options.model, options.library, options.device, precision=options.precision)
    if options.data.is_dir():
        cases, judge, texts = _official(options, generator)
    else:
        cases, judge, texts = *_own(options), REPEATED_TEXTS
    made, card = generator.model.card.layout.size, generator.model.card
    if not (made == judge.features == cases[0].rows.shape[1]):
        raise BackendError(
            "bad_evaluator",
            f"The model {card.name} makes {made} features, the evaluator reads {judge.features}, the motions have "
            f"{cases[0].rows.shape[1]}.",
            "Choose a model, an evaluator and a data set of one kind.",
        )
    with ProgressLine() as progress:
        found = protocol(
            cases,
            judge,
            made_by(generator, options.quality),
            card.config.max_frames,
            options.replications,
            texts if options.repeated_texts is None else options.repeated_texts,
            options.generations,
            lambda done, total: progress("takes", done, total),
        )
    sys.stdout.write(_as_json(found) if options.json else _as_table(found))
    return 0


def _parser() -> argparse.ArgumentParser:
    from .protocol import GENERATIONS

    parser = argparse.ArgumentParser(prog="python -m backend evaluate protocol", description=main.__doc__)
    parser.add_argument(
        "data", type=Path, help="folder of the official data layout (its test.txt), or CONFIG.toml of a training run"
    )
    parser.add_argument(
        "--evaluator",
        type=Path,
        help=f"finest.tar of Guo et al., or the folder that train evaluator made (default: the one beside an official "
        f"folder, else {OWN})",
    )
    parser.add_argument("--glove", type=Path, help="folder of the evaluators' vocabulary (default: as --evaluator)")
    add_model_options(parser)
    parser.add_argument("--quality", choices=QUALITIES, default="full")
    parser.add_argument("--replications", type=int, default=20)
    parser.add_argument(
        "--repeated-texts", type=int, help="for multimodality (default: as in the paper, 100, KIT-ML 50); 0: leave out"
    )
    parser.add_argument(
        "--generations", type=int, default=GENERATIONS, help=f"takes of each of them (default: {GENERATIONS})"
    )
    parser.add_argument("--json", action="store_true")
    return parser


def _official(options: argparse.Namespace, generator: Generator) -> tuple[list[Case], Judge, int]:
    """Cases, judge and number of repeated texts of a folder of the official layout."""
    from .cases import read_trials
    from .guo import GuoEvaluator, GuoJudge
    from .words import Vocabulary

    folder = options.data.resolve()
    # data/datasets/NAME, data/evaluators/NAME and data/glove lie in one folder of the release.
    beside = folder.parent.parent
    evaluator = options.evaluator or beside / "evaluators" / folder.name / "finest.tar"
    if evaluator.is_dir():
        trials = read_trials(folder, tagged=False)
        return trials.cases, _own_judge(evaluator, options.model), trials.family.repeated_texts
    network = GuoEvaluator.load(evaluator)
    vocabulary = Vocabulary.load(options.glove or beside / "glove")
    trials = read_trials(folder, tagged=True)
    judge = GuoJudge(network, vocabulary, trials, generator.model.card.config.max_frames)
    return trials.cases, judge, trials.family.repeated_texts


def _own(options: argparse.Namespace) -> tuple[list[Case], Judge]:
    """The clips that a training run keeps for validation, and our own evaluator."""
    from ..trainer import load_batches, load_set
    from .cases import held_out

    config = RunConfig.read(options.data)
    judge = _own_judge(options.evaluator or OWN, options.model)
    cases = held_out(load_set(Path(config.data)), load_batches(config).validation)
    if not cases:
        raise BackendError("no_data", "No clip is held out for tests.", "Choose a larger data set.")
    return cases, judge


def _own_judge(folder: Path, model: Path | None) -> Judge:
    """`model`: whose text encoder it may be."""
    from ...text import load_encoder
    from .own import OwnJudge, load_evaluator

    evaluator = load_evaluator(folder)
    return OwnJudge(evaluator, load_encoder(evaluator.config.encoder, model))


def _as_table(found: dict[str, Interval]) -> str:
    return "".join(f"{name:22} {one.mean:8.3f} +- {one.half_width:.3f}\n" for name, one in found.items())


def _as_json(found: dict[str, Interval]) -> str:
    """Of one replication alone the width is unknown: null."""
    rows = {
        name: {"mean": one.mean, "half_width": None if math.isnan(one.half_width) else one.half_width}
        for name, one in found.items()
    }
    return json.dumps(rows, indent=1) + "\n"
