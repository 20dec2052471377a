# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend evaluate ablation`: equal short runs, each with one option changed, and a table of what it costs.

Every row is a run of its own below one folder. A row that was finished is not trained again, one that was stopped goes
on from its checkpoint, so the command may be stopped and repeated.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..errors import BackendError
from ..model.config import ModelConfig
from ..model_card import SamplerConfig
from .config import RunConfig
from .dataset import OPPOSITE_FACTOR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS: Final = Path(__file__).with_name("configs") / "ablation.toml"
SETTINGS: Final = "settings.json"
RESULT: Final = "result.json"
WAYS: Final = ("noise", "full")
_SAMPLER = SamplerConfig(start_timestep=500, start_margin=0.02, opposite_factor=OPPOSITE_FACTOR, neutral_subject=True)
"""Of sampling, as `publish model` has them by default."""


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    config: RunConfig

    @property
    def folder(self) -> str:
        return "".join(letter if letter.isalnum() else "-" for letter in self.name.lower())


@dataclass(frozen=True, slots=True)
class Result:
    """Of one row. `validation`: mean over the trainer's timesteps of the held-out error; for each way of sampling the
    share of takes that pass, plain and reworded, and `Quality`'s jerk and skate."""

    name: str
    iterations: int
    validation: float
    passed: dict[str, tuple[float, float]]
    jerk: dict[str, float]
    skate: dict[str, float]


def read_rows(file: Path = ROWS, iterations: int | None = None, data: str | None = None) -> list[Row]:
    """The rows of a file like configs/ablation.toml. Raises BackendError for a bad file or an unknown setting.

    `iterations` and `data` stand in for the file's.
    """
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        base = RunConfig.read(file.with_name(table["base"]))
        base = _changed(replace(base, start=None, data=data or base.data), {"training": table.get("training", {})})
        rows = []
        for entry in table["row"]:
            config = _changed(base, {key: value for key, value in entry.items() if key != "name"})
            if iterations:
                training = config.training
                share = iterations / training.iterations
                config = replace(
                    config,
                    training=replace(
                        training,
                        iterations=iterations,
                        warmup=round(training.warmup * share),
                        decay=round(training.decay * share),
                    ),
                )
            rows.append(Row(entry["name"], config))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackendError(
            "bad_config", f"{file.name} is no list of ablation rows ({error}).", "Start from configs/ablation.toml."
        ) from error
    if len({row.folder for row in rows}) != len(rows):
        raise BackendError("bad_config", f"Two rows of {file.name} have one name.", "Give each a name of its own.")
    return rows


def _changed(config: RunConfig, changes: dict[str, dict[str, Any]]) -> RunConfig:
    for part, values in changes.items():
        if part not in ("model", "loss", "training"):
            raise KeyError(f"unknown table {part}")
        old = getattr(config, part)
        if unknown := set(values) - {one.name for one in fields(old)}:
            raise KeyError(f"unknown key {', '.join(sorted(unknown))}")
        if isinstance(old, ModelConfig):
            new = ModelConfig.from_dict(old.to_dict() | values)
        else:
            new = dataclasses.replace(old, **values)
        config = replace(config, **{part: new})
    return config


def run_row(row: Row, folder: Path, library: Path, questions: Sequence[Any], seeds: int) -> Result:
    """Train what is missing of a row below `folder`, and judge it with the references of `library`; a row that was
    judged before, with the same settings, is read."""
    from ..generate import Generator
    from .evaluate import exam, ways
    from .publish import export_model
    from .trainer import Trainer

    place = folder / row.folder
    asked = _asked(row, library, questions, seeds)
    if (found := _known(place, asked)) is not None:
        return found
    run = Trainer(row.config, place)
    run.run()
    validation = float(np.mean(run.validate()))
    export_model(row.config, run.checkpoint, place / "model", _SAMPLER)
    generator = Generator.load(place / "model", [library])
    scores = {way: exam(way, sample, questions, seeds) for way, sample in ways(generator).items() if way in WAYS}
    result = Result(
        row.name,
        run.iteration,
        round(validation, 5),
        {way: score.passed for way, score in scores.items()},
        {way: score.jerk for way, score in scores.items()},
        {way: score.skate for way, score in scores.items()},
    )
    draft = place / (RESULT + ".new")
    draft.write_text(json.dumps({"asked": asked, "result": asdict(result)}, indent=1), encoding="utf-8")
    draft.replace(place / RESULT)
    return result


def _asked(row: Row, library: Path, questions: Sequence[Any], seeds: int) -> dict[str, Any]:
    """Everything that a result depends on, as JSON gives it back."""
    config = row.config
    parts = {"model": config.model.to_dict(), "loss": asdict(config.loss), "training": asdict(config.training)}
    prompts = [asdict(question) for question in questions]
    asked = parts | {"data": config.data, "library": library.name, "prompts": prompts, "seeds": seeds}
    return json.loads(json.dumps(asked))


def _known(place: Path, asked: dict[str, Any]) -> Result | None:
    """The result that a folder holds. Raises BackendError where its run has other settings: that run would be gone on
    with."""
    settings = {key: asked[key] for key in ("model", "loss", "training", "data")}
    file = place / SETTINGS
    if not file.is_file():
        place.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings, indent=1), encoding="utf-8")
    elif json.loads(file.read_text(encoding="utf-8")) != settings:
        raise BackendError(
            "folder_in_use", f"{place} holds a run with other settings.", "Choose another folder with --runs."
        )
    if not (place / RESULT).is_file():
        return None
    stored = json.loads((place / RESULT).read_text(encoding="utf-8"))
    if stored["asked"] != asked:
        return None
    values = stored["result"]
    passed = {way: (plain, reworded) for way, (plain, reworded) in values["passed"].items()}
    return Result(**(values | {"passed": passed}))


def table(results: Sequence[Result]) -> str:
    """Markdown, one line a row."""
    ways = [way for way in WAYS if results and way in results[0].passed]
    heads = [f"{way}: plain / reworded | jerk m/s3 | skate cm/s" for way in ways]
    lines = [
        f"| row | iterations | held-out error | {' | '.join(heads)} |",
        "|---|---|---|" + "---|---|---|" * len(ways),
    ]
    for one in results:
        cells = [one.name, str(one.iterations), f"{one.validation:.4f}"]
        for way in ways:
            plain, reworded = one.passed[way]
            cells += [f"{plain:.0%} / {reworded:.0%}", f"{one.jerk[way]:.0f}", f"{100 * one.skate[way]:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def ablate(
    rows: Sequence[Row],
    folder: Path,
    library: Path,
    questions: Sequence[Any],
    seeds: int,
    told: Callable[[str], object],
) -> list[Result]:
    """All rows, one after the other; after each the table so far is written to `folder`/table.md."""
    results = []
    for number, row in enumerate(rows, start=1):
        told(f"row {number} of {len(rows)}: {row.name}\n")
        results.append(run_row(row, folder, library, questions, seeds))
        (folder / "table.md").write_text(table(results), encoding="utf-8")
    return results


def main(argv: Sequence[str]) -> int:
    """Train short runs with one option changed in each, and print what it costs."""
    from ..model_folder import LIBRARY, STARTER
    from .exam import prompts

    parser = argparse.ArgumentParser(prog="python -m backend evaluate ablation", description=main.__doc__)
    parser.add_argument("--rows", type=Path, default=ROWS, help="a file like backend/training/configs/ablation.toml")
    parser.add_argument("--only", action="append", metavar="NAME", help="this row alone; may be repeated")
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"), help="folder of the runs")
    parser.add_argument("--iterations", type=int, help="of each row, instead of the file's")
    parser.add_argument("--data", help="training set, instead of the base configuration's")
    parser.add_argument(
        "--library", type=Path, default=STARTER / LIBRARY, help="references for the exam (default: the starter's)"
    )
    parser.add_argument("--prompts", type=Path, help="a file like backend/training/exam.toml")
    parser.add_argument("--every", type=int, default=3, help="ask every n-th prompt of the exam (default: 3)")
    parser.add_argument("--seeds", type=int, default=1, help="takes a prompt and wording (default: 1)")
    options = parser.parse_args(argv)

    rows = read_rows(options.rows, options.iterations, options.data)
    if options.only:
        if unknown := set(options.only) - {row.name for row in rows}:
            names = ", ".join(row.name for row in rows)
            raise BackendError("bad_config", f"There is no row {sorted(unknown)[0]!r}.", f"Choose one of: {names}.")
        rows = [row for row in rows if row.name in options.only]
    questions = prompts(options.prompts)[:: max(1, options.every)]
    results = ablate(rows, options.runs, options.library, questions, options.seeds, sys.stderr.write)
    sys.stdout.write(table(results))
    return 0
