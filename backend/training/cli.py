# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend data`, `train` and `publish`: from motion files to what ships."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ..console.terminal import ProgressLine
from ..errors import BackendError
from ..model_folder import STARTER
from .config import RunConfig
from .data.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence


def data(argv: Sequence[str] | None = None) -> int:
    """Prepare a training set."""
    parser = argparse.ArgumentParser(prog="python -m backend data", description=data.__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    folders = "FOLDER with a table and BVH or ASF/AMC files, or one of HumanML3D (docs/starter-model.md)"
    one = actions.add_parser("prepare", help="folders of motion -> one training set file")
    one.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help=folders)
    one.add_argument("--output", type=Path, default=Path("runs/data/starter.npz"))
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--report", type=Path, metavar="DIR", help="also write the quality report of every clip there")
    two = actions.add_parser("report", help="how good every clip of the folders is, with pictures of the worst")
    two.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help=folders)
    two.add_argument("--output", type=Path, default=Path("runs/data/report"), help="folder of the report")
    two.add_argument("--worst", type=int, default=12, help="number of pictures (default: 12)")
    options = parser.parse_args(argv)
    if options.action == "report":
        return _report(options.folders, options.output, options.worst)
    result = prepare(options.folders, options.output, options.seed)
    minutes = int(result.lengths.sum()) / 20 / 60
    sys.stdout.write(
        f"{options.output}: {len(result)} windows, {minutes:.0f} minutes, {len(set(result.groups))} kinds of motion\n"
    )
    return _report(options.folders, options.report) if options.report else 0


def _report(folders: Sequence[Path], output: Path, worst: int = 12) -> int:
    from .data.report import write_report
    from .data.sources import read_sources

    clips = (clip for folder in folders for clip in read_sources(folder))
    with ProgressLine() as progress:
        found = write_report(clips, output, worst, lambda done: progress("clips", done, done))
    sys.stdout.write(f"{output}: {len(found)} clips; the worst:\n")
    for one in found[:worst]:
        sys.stdout.write(
            f"  {one.clip:24} {one.seconds:5.1f} s  skate {100 * one.skate:5.1f} cm/s  penetration "
            f"{one.penetration:5.1%}  jerk {one.jerk:5.0f}  {one.label}{'' if one.used else '  (not used)'}\n"
        )
    return 0


def train(argv: Sequence[str] | None = None) -> int:
    """Train a model; a run that was interrupted goes on when the same command is given again.

    `train mixture CONFIG` fits the condition mixture of a finished run instead, `train evaluator CONFIG` trains what
    `evaluate protocol` judges by.
    """
    argv = sys.argv[2:] if argv is None else argv
    if argv[:1] == ["mixture"]:
        return _mixture(argv[1:])
    if argv[:1] == ["evaluator"]:
        return _evaluator(argv[1:])
    parser = argparse.ArgumentParser(prog="python -m backend train", description=train.__doc__)
    parser.add_argument("config", type=Path)
    # torchrun takes --run for one of its own.
    parser.add_argument(
        "--run", "--folder", type=Path, dest="run", help="folder of the run (default: runs/NAME OF THE CONFIG)"
    )
    parser.add_argument("--iterations", type=int, help="instead of the configured number")
    parser.add_argument("--minutes", type=float, help="stop after this long, to go on later")
    options = parser.parse_args(argv)

    from .trainer import Trainer

    config = RunConfig.read(options.config)
    if options.iterations:
        config = dataclasses.replace(
            config, training=dataclasses.replace(config.training, iterations=options.iterations)
        )
    run = Trainer(config, options.run or Path("runs") / options.config.stem)
    with _Bar(config.training.iterations, run.iteration, run.engine.first) as bar:
        run.run(None if options.minutes is None else time.time() + 60 * options.minutes, told=bar.told)
    if not run.engine.first:
        return 0
    sys.stdout.write(f"{run.folder}: iteration {run.iteration} of {config.training.iterations}\n")
    return 0


def _mixture(argv: Sequence[str]) -> int:
    """Fit the mixture's coefficients of fine steps on the training set, with the averaged weights of a run."""
    parser = argparse.ArgumentParser(prog="python -m backend train mixture", description=_mixture.__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--run", type=Path, help="folder of the run (default: runs/NAME OF THE CONFIG)")
    parser.add_argument("--batches", type=int, default=50, help="batches of the configured size (default: 50)")
    parser.add_argument("--model", type=Path, help="a model folder, made by publish, whose card gets the coefficients")
    options = parser.parse_args(argv)
    if options.batches < 1:
        raise BackendError("bad_request", "There is nothing to fit on.", "Choose one batch or more.")

    from .mixture import fit_mixture, write_mixture
    from .trainer import Trainer

    config = RunConfig.read(options.config)
    folder = options.run or Path("runs") / options.config.stem
    if not (folder / "checkpoint.pt").is_file():
        raise BackendError("no_run", f"There is no finished run in {folder}.", "Train first, or name it with --run.")
    quiet = dataclasses.replace(config, training=dataclasses.replace(config.training, tensorboard=False))
    fit = fit_mixture(Trainer(quiet, folder), options.batches, _show)
    if options.model:
        write_mixture(options.model, fit.mixture)
    mixture = fit.mixture
    sys.stdout.write(
        f"[model.mixture]\nboth = {mixture.both}\ntext = {mixture.text}\nretrieval = {mixture.retrieval}\n"
        f"# mean squared error {fit.after:.6f}, before {fit.before:.6f}\n"
    )
    return 0


def _evaluator(argv: Sequence[str]) -> int:
    """Train a text-motion evaluator on the training set of a configuration, held-out clips left out."""
    parser = argparse.ArgumentParser(prog="python -m backend train evaluator", description=_evaluator.__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--output", type=Path, default=Path("runs/evaluator"), help="folder (default: runs/evaluator)")
    parser.add_argument("--iterations", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args(argv)
    if options.iterations < 1 or options.batch < 2:
        raise BackendError("bad_request", "That trains nothing.", "Choose 1 iteration and a batch of 2, or more.")

    from .judges.own import EvaluatorConfig, save_evaluator, train_evaluator
    from .trainer import load_batches, run_encoder

    config = RunConfig.read(options.config)
    batches = load_batches(config)
    sizes = EvaluatorConfig(len(batches.mean), batches.captions.tokens.shape[1], run_encoder(config).name)
    save_evaluator(options.output, train_evaluator(batches, sizes, options.iterations, options.batch, told=_show))
    sys.stdout.write(f"{options.output}: {options.iterations} iterations\n")
    return 0


def publish(argv: Sequence[str] | None = None) -> int:
    """Turn a training run into a model folder, sample its starter library, note its exam results in its card."""
    parser = argparse.ArgumentParser(prog="python -m backend publish", description=publish.__doc__)
    parser.add_argument("what", choices=("model", "library", "results"))
    parser.add_argument("config", type=Path, help="of the run; for results: what evaluate exam --json printed")
    parser.add_argument("--run", type=Path, help="folder of the run (default: runs/NAME OF THE CONFIG)")
    parser.add_argument("--output", type=Path, default=STARTER, help="the model folder")
    parser.add_argument("--best", action="store_true", help="the weights of the best validation, not the last (model)")
    parser.add_argument("--start", type=int, default=500, help="timestep that sampling starts from (model)")
    parser.add_argument("--score", type=float, default=1.0, help="from references that score this or more (model)")
    parser.add_argument("--margin", type=float, default=0.02, help="score margin of references to start from (model)")
    parser.add_argument("--samples", type=int, default=3, help="of which the best is kept (library)")
    parser.add_argument("--workers", type=int, default=1, help="processes that share the work (library)")
    parser.add_argument("--limit", type=int, help="make only this many clips, spread over the kinds (library)")
    options = parser.parse_args(argv)

    from ..model_card import SamplerConfig
    from . import publish as publishing
    from .data.prepare import TrainingSet
    from .dataset import OPPOSITE_FACTOR

    if options.what == "results":
        publishing.record_results(options.output, publishing.read_results(options.config))
        return 0
    config = RunConfig.read(options.config)
    run = options.run or Path("runs") / options.config.stem
    if options.what == "model":
        card = publishing.export_model(
            config,
            run / ("best.pt" if options.best else "checkpoint.pt"),
            options.output,
            SamplerConfig(options.start, options.score, options.margin, OPPOSITE_FACTOR, neutral_subject=True),
        )
        sys.stdout.write(f"{options.output}: {card.training['iterations']} iterations\n")
        return 0
    data = TrainingSet.load(Path(config.data))
    references = Path(config.data).with_suffix(".sqlite")
    if not references.exists() or references.stat().st_mtime < Path(config.data).stat().st_mtime:
        publishing.training_library(data, references)
    wanted = publishing.plan(data)
    wanted = wanted[:: max(1, len(wanted) // options.limit)] if options.limit else wanted
    kept = publishing.starter_library(options.output, references, wanted, options.samples, _show, options.workers)
    sys.stdout.write(f"{options.output}: {kept} of {len(wanted)} clips\n")
    return 0


class _Bar:
    """A progress bar with the time left and the loss; silent where standard error is no terminal."""

    def __init__(self, iterations: int, done: int, shown: bool) -> None:
        from .engine import optional

        tqdm = optional("tqdm", "tqdm==4.70.1", "show the progress")
        hidden = not (shown and sys.stderr.isatty())
        self._bar = tqdm.tqdm(total=iterations, initial=done, disable=hidden, unit="it", smoothing=0.1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def told(self, iteration: int, loss: float) -> None:
        self._bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
        self._bar.update(iteration - self._bar.n)


def _show(done: int, total: int) -> None:
    if not sys.stderr.isatty():
        return
    sys.stderr.write(f"\r{done}/{total}")
    sys.stderr.flush()
