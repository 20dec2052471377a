# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches without Blender: two processes share the rows without a duplicate or a gap, and repeat nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from random_model import save_random_model

from backend.batch import Part
from backend.errors import BackendError

ROOT = Path(__file__).resolve().parents[2]


def start(words: list[str], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "backend", "generate", *words],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_make_every_row_once(tmp_path: Path, library_file: Path) -> None:
    save_random_model(tmp_path / "model")
    library_file.rename(tmp_path / "model" / "library.sqlite")
    rows = [{"name": f"clip{number}", "prompt": "a person walks", "seconds": 1, "seed": number} for number in range(5)]
    (tmp_path / "prompts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    words = ["--prompts", str(tmp_path / "prompts.jsonl"), "--output", str(tmp_path / "clips")]
    words += ["--model", str(tmp_path / "model")]
    parts = [start(words, RANK=str(rank), WORLD_SIZE="2") for rank in range(2)]
    assert [part.communicate(timeout=120)[0].splitlines()[0] for part in parts] == [
        "3 made, 0 were there, 0 failed",
        "2 made, 0 were there, 0 failed",
    ]
    reports = sorted((tmp_path / "clips").glob("report-*.jsonl"))
    made = [json.loads(line)["name"] for report in reports for line in report.read_text().splitlines()]
    assert sorted(made) == [row["name"] for row in rows]
    (tmp_path / "clips" / "clip3.npz").unlink()
    again = start(words).communicate(timeout=120)[0]
    assert again.startswith("1 made, 4 were there, 0 failed")


@pytest.mark.parametrize(
    ("environment", "part"),
    [
        ({}, Part(0, 1)),
        ({"RANK": "1", "WORLD_SIZE": "4"}, Part(1, 4)),
        ({"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MIN": "1"}, Part(2, 3)),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "2"}, Part(0, 2)),
    ],
)
def test_the_scheduler_says_which_part(environment: dict[str, str], part: Part) -> None:
    assert Part.from_environment(environment) == part


@pytest.mark.parametrize("rank", ["2", "-1", "x"])
def test_a_contradiction_is_told(rank: str) -> None:
    with pytest.raises(BackendError):
        Part.from_environment({"RANK": rank, "WORLD_SIZE": "2"})
