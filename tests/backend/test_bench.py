# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark measures what it says; how fast it is, no test can tell."""

from __future__ import annotations

from dataclasses import replace

import torch
from small_network import CONFIG, random_network

from backend.bench import bench
from backend.model import MixtureConfig


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
