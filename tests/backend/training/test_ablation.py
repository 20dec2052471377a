# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from gaits import CAPTIONS, gait_clip

from backend.errors import BackendError
from backend.library import Library
from backend.text import load_encoder
from backend.training.ablation import ROWS, main, read_rows
from backend.training.config import RunConfig
from backend.training.evaluation import main as evaluate
from backend.training.trainer import ENCODER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASE = """[data]
file = "{data}"
[model]
{model}
[training]
iterations = 24
batch = 8
learning_rate = 2e-3
ema = 0.99
"""
TABLE = """base = "base.toml"
[training]
iterations = 16
checkpoint_every = 8
validate_every = 100
[[row]]
name = "everything"
[[row]]
name = "no local mixing"
model = { local_mixing = 0 }
[[row]]
name = "no velocity loss"
loss = { local_velocity = 0.0 }
"""
PROMPTS = '[[prompt]]\nrule = "walk"\nplain = "a person walks forward"\nreworded = ["somebody walks"]\n'


@pytest.fixture
def stage(config: RunConfig, tmp_path: Path) -> list[str]:
    """The command's words for three tiny rows."""
    model = {key: value for key, value in config.model.to_dict().items() if not isinstance(value, dict)}
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in model.items())
    (tmp_path / "base.toml").write_text(BASE.format(data=config.data, model=lines))
    (tmp_path / "rows.toml").write_text(TABLE)
    (tmp_path / "exam.toml").write_text(PROMPTS)
    with Library.create(tmp_path / "own.sqlite") as library:
        for caption in CAPTIONS:
            library.add(gait_clip(caption))
        library.index(load_encoder(ENCODER))
    return [
        *("--rows", str(tmp_path / "rows.toml"), "--runs", str(tmp_path / "runs"), "--every", "1"),
        *("--library", str(tmp_path / "own.sqlite"), "--prompts", str(tmp_path / "exam.toml")),
    ]


def test_rows_are_trained_judged_and_not_trained_again(
    stage: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(["ablation", *stage]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert len(lines) == 5
    assert [line.split(" | ")[0].strip("| ") for line in lines[2:]] == [
        "everything",
        "no local mixing",
        "no velocity loss",
    ]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert {len(row) for row in cells} == {9}
    assert all(row[1] == "16" and float(row[2]) > 0 and float(row[4]) > 0 for row in cells[2:])
    results = [json.loads(file.read_text())["result"] for file in sorted((tmp_path / "runs").glob("*/result.json"))]
    assert len({result["validation"] for result in results}) == 3  # three different models
    assert (tmp_path / "runs" / "table.md").read_text() == printed

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("checkpoint.pt")}
    assert len(before) == 3
    assert main(stage) == 0
    assert capsys.readouterr().out == printed
    assert {path: path.stat().st_mtime_ns for path in before} == before
    # Another budget in the same folder would mix two runs.
    with pytest.raises(BackendError, match="other settings"):
        main([*stage, "--iterations", "6"])


def test_the_project_rows_change_one_thing_each() -> None:
    rows = {row.name: row.config for row in read_rows()}
    base = rows["all as in the starter"]
    starter = RunConfig.read(ROWS.with_name("starter.toml"))
    assert base.model == starter.model
    assert base.loss == starter.loss
    assert base.start is None
    assert len({config.training.iterations for config in rows.values()}) == 1
    seen = []
    for name, config in rows.items():
        parts = [config.model.to_dict(), config.loss, config.training]
        seen.append(parts)
        if name not in ("all as in the starter", "the paper's network and loss"):
            differ = [part for part, old in zip(parts, seen[0], strict=True) if part != old]
            assert len(differ) == 1, name
    assert len({str(parts) for parts in seen}) == len(rows)
    shorter = read_rows(iterations=30)
    assert {row.config.training.iterations for row in shorter} == {30}
    assert {row.config.training.decay for row in shorter} == {
        round(base.training.decay * 30 / base.training.iterations)
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("local_mixing", "mixing"),
        lambda text: text.replace("local_velocity", "velocity"),
        lambda text: text.replace("loss = {", "losses = {"),
        lambda text: text.replace("base.toml", "nothing.toml"),
        lambda text: text.replace("no velocity loss", "no local mixing"),
        lambda text: text + "[",
    ],
)
def test_bad_rows_are_refused(stage: list[str], tmp_path: Path, change: Callable[[str], str]) -> None:
    (tmp_path / "rows.toml").write_text(change(TABLE))
    with pytest.raises(BackendError) as caught:
        main(stage)
    assert caught.value.remedy
    assert not (tmp_path / "runs").exists()


def test_an_unknown_row_is_refused(stage: list[str]) -> None:
    with pytest.raises(BackendError, match="no such"):
        main([*stage, "--only", "no such"])


def test_unknown_kinds_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(["nothing"]) == 2
    assert "sheets" in capsys.readouterr().err
    assert evaluate(["--help"]) == 0
    assert "ablation" in capsys.readouterr().out
