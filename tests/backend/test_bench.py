# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark measures what it says; how fast it is, no test can tell."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from random_model import save_random_model
from small_network import CONFIG, random_network

from backend.bench.command import main
from backend.bench.lengths import measure_lengths
from backend.bench.library import measure_library
from backend.bench.quality import measure_quality
from backend.bench.sampling import bench
from backend.bench.start import measure_start
from backend.errors import BackendError
from backend.model import MixtureConfig
from backend.training.exam import prompts


def test_every_row_is_complete_and_counts_the_work() -> None:
    device = torch.device("cpu")
    rows = bench("small", random_network(), device)
    single, four = rows[:2]
    assert [(row.model, row.precision, row.batch) for row in rows[:2]] == [
        ("small", "float32", 1),
        ("small", "float32", 4),
    ]
    for row in rows:
        assert row.seconds_per_clip > 0
        assert 0 < row.fraction_of_peak < 1
        assert row.ratio_to_plain > 0
    assert four.gflop_per_clip < single.gflop_per_clip  # the prompt's conditions are shared

    guided = random_network(replace(CONFIG, mixture=MixtureConfig.guidance(2.5)))
    assert bench("guided", guided, device)[0].gflop_per_clip < single.gflop_per_clip  # fewer branches


def test_slow_numbers_are_measured_only_when_asked_for() -> None:
    """Which processors have fast bfloat16 differs; whichever it is, nothing is left out in silence."""
    device, words = torch.device("cpu"), []
    rows = bench("small", random_network(), device, None, words.append)
    assert bool(words) == (len(rows) == 2)
    asked = bench("small", random_network(), device, ["bfloat16"])
    assert {row.precision for row in asked} == {"bfloat16"}
    assert set(asdict(asked[0])) == {
        "model", "precision", "batch", "seconds_per_clip", "gflop_per_clip", "peak_gflops", "fraction_of_peak",
        "ratio_to_plain",
    }  # fmt: skip


def test_the_cost_is_linear_in_the_length() -> None:
    """Counted, not timed: equal steps in frames cost equal steps in operations, whatever the length."""
    network = random_network(replace(CONFIG, max_frames=96))
    rows = measure_lengths("small", network, torch.device("cpu"))
    assert [row.frames for row in rows] == [24, 48, 72, 96]
    assert all(row.seconds_per_clip > 0 for row in rows)
    steps = np.diff([row.gflop_per_clip for row in rows])
    assert steps[0] > 0
    np.testing.assert_allclose(steps, steps[0], rtol=1e-9)
    # What does not grow is the prompt's share: no more than all of the shortest take.
    assert 0 <= rows[0].gflop_per_clip - steps[0] < rows[0].gflop_per_clip


def test_a_large_library_is_filled_opened_and_searched() -> None:
    row = measure_library(300)
    assert row.clips == 300
    assert row.megabytes > 0.3
    assert row.imported_per_second > 1
    assert 0 < row.query_milliseconds < 1e3 * row.opening_seconds


def test_the_start_is_measured_on_a_process_of_its_own(tmp_path: Path) -> None:
    save_random_model(tmp_path / "model")
    row = measure_start(tmp_path / "model", "cpu")
    assert row.model == "random"
    assert 0 < row.next_take_seconds < row.first_take_seconds
    assert row.idle_megabytes > 50 or not Path("/proc").is_dir()
    with pytest.raises(BackendError, match="nowhere"):
        measure_start(tmp_path / "nowhere", "cpu")


def test_the_cost_of_fast_takes_is_measured_against_full_ones(tmp_path: Path) -> None:
    save_random_model(tmp_path / "model")
    full, fast = measure_quality(
        tmp_path / "model", "cpu", 2, prompts(None)[:1], (("full", "float32"), ("fast", "float32"))
    )
    assert full.distance == 0.0 < fast.distance
    assert (full.quality, fast.quality) == ("full", "fast")


@pytest.mark.parametrize(
    "words", [["--threads", "0"], ["--batch", "4", "0"], ["--library", "-5"], ["--model", "nowhere"]]
)
def test_what_cannot_be_measured_is_refused(words: list[str]) -> None:
    with pytest.raises(BackendError) as caught:
        main(words)
    assert caught.value.remedy
