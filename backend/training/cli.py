# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend data prepare ...` and `python -m backend train CONFIG.toml`."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .config import RunConfig
from .data.prepare import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence


def data(argv: Sequence[str] | None = None) -> int:
    """Prepare a training set."""
    parser = argparse.ArgumentParser(prog="python -m backend data", description=data.__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    one = actions.add_parser("prepare", help="folders with an index.csv and BVH files -> one training set file")
    one.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    one.add_argument("--output", type=Path, default=Path("runs/data/starter.npz"))
    one.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    result = prepare(options.folders, options.output, options.seed)
    minutes = int(result.lengths.sum()) / 20 / 60
    sys.stdout.write(
        f"{options.output}: {len(result)} windows, {minutes:.0f} minutes, {len(set(result.groups))} kinds of motion\n"
    )
    return 0


def train(argv: Sequence[str] | None = None) -> int:
    """Train a model; a run that was interrupted goes on when the same command is given again."""
    parser = argparse.ArgumentParser(prog="python -m backend train", description=train.__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--run", type=Path, help="folder of the run (default: runs/NAME OF THE CONFIG)")
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
    run.run(None if options.minutes is None else time.time() + 60 * options.minutes)
    sys.stdout.write(f"{run.folder}: iteration {run.iteration} of {config.training.iterations}\n")
    return 0
