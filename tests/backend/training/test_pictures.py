# SPDX-License-Identifier: GPL-3.0-or-later
"""Learning curve and contact sheets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from backend.errors import BackendError
from backend.training.curve import Axes, draw, read_curve, smoothed
from backend.training.evaluation import main
from backend.training.sheets import SCENES

if TYPE_CHECKING:
    from pathlib import Path


def write_log(run: Path, iterations: int = 400) -> Path:
    run.mkdir(parents=True, exist_ok=True)
    lines = []
    for at in range(20, iterations + 1, 20):
        lines.append({"iteration": at, "seconds": at / 2, "loss": 9.0, "plain": 10.0 / at, "rate": 1e-3})
        if at % 100 == 0:
            lines.append({"iteration": at, "seconds": at / 2, "validation": [1.0 / at, 100.0 / at]})
    (run / "log.jsonl").write_text("\n".join(map(json.dumps, lines)) + '\n{"iteration": 42')
    return run


def test_a_log_is_read_to_its_last_whole_line(tmp_path: Path) -> None:
    curve = read_curve(write_log(tmp_path / "run"))
    assert curve.loss[0] == (20, 0.5)
    assert len(curve.loss) == 20
    assert curve.validation == [
        [(at, 1 / at) for at in (100, 200, 300, 400)],
        [(at, 100 / at) for at in (100, 200, 300, 400)],
    ]
    assert curve.seconds == 200


def test_what_a_resumed_run_did_again_counts_once(tmp_path: Path) -> None:
    run = write_log(tmp_path / "run")
    with (run / "log.jsonl").open("a") as handle:
        handle.write(
            '\n{"iteration": 220, "seconds": 110, "plain": 7.0}\n{"iteration": 240, "seconds": 120, "plain": 8.0}\n'
        )
    curve = read_curve(run)
    assert [at for at, _ in curve.loss] == list(range(20, 241, 20))
    assert curve.loss[-2:] == [(220, 7.0), (240, 8.0)]
    assert [at for at, _ in curve.validation[0]] == [100, 200]


def test_smoothing_keeps_a_line_and_its_ends() -> None:
    line = [(float(x), 3.0 * x + 1) for x in range(40)]
    np.testing.assert_allclose(smoothed(line, 9), line)


def test_axes_are_logarithmic_and_hold_everything() -> None:
    axes = Axes.over([[(0, 0.01), (1000, 1.0)]])
    x, y = zip(*(axes.place(500, value) for value in (0.01, 0.1, 1.0)), strict=True)
    assert len(set(x)) == 1
    assert y[0] > y[1] > y[2]
    assert y[0] - y[1] == pytest.approx(y[1] - y[2])
    assert axes.iterations() == [0, 200, 400, 600, 800, 1000]
    assert {0.01, 0.1, 1.0} <= set(axes.errors())


def test_the_curve_is_drawn_where_the_errors_are(tmp_path: Path) -> None:
    run = write_log(tmp_path / "run")
    output = tmp_path / "new" / "curve.png"
    assert main(["curve", str(run), "--output", str(output)]) == 0
    picture = np.asarray(Image.open(output)).astype(int)
    curve = read_curve(run)
    axes = Axes.over([curve.loss, *curve.validation])
    for number, track in enumerate(curve.validation):
        for point in track:
            x, y = (round(value) for value in axes.place(*point))
            expected = ((206, 92, 66), (60, 150, 92))[number]
            assert np.abs(picture[y, x] - expected).max() < 8
    flat = tmp_path / "flat.png"
    draw(read_curve(write_log(tmp_path / "short", 20)), "one point", (50,), flat)
    assert Image.open(flat).size == (960, 540)


def test_runs_without_a_log_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "log.jsonl").write_text("")
    for run in ("empty", "bare", "nowhere"):
        with pytest.raises(BackendError) as caught:
            main(["curve", str(tmp_path / run), "--output", str(tmp_path / "a.png")])
        assert caught.value.remedy
    with pytest.raises(BackendError, match="png"):
        main(["curve", str(write_log(tmp_path / "run")), "--output", str(tmp_path / "a.jpg")])


def test_sheets_show_what_the_starter_model_makes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sheets", "--output", str(tmp_path / "sheets"), "--seconds", "1", "--takes", "2"]
    assert main([*words, "--prompt", "a person walks", "--prompt", "He jumps!"]) == 0
    names = [path.name for path in sorted((tmp_path / "sheets").iterdir())]
    assert names == ["01_a_person_walks.png", "02_he_jumps.png"]
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "sheets" / name) for name in names]
    pictures = [np.asarray(Image.open(tmp_path / "sheets" / name)).astype(int) for name in names]
    assert pictures[0].shape == pictures[1].shape
    half = len(pictures[0]) // 2
    # Another prompt and another seed give other pictures.
    assert np.abs(pictures[0] - pictures[1]).mean() > 1
    assert np.abs(pictures[0][:half] - pictures[0][half:]).mean() > 1


def test_there_are_twelve_scenes() -> None:
    assert len({scene.prompt for scene in SCENES}) == 12
