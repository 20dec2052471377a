# SPDX-License-Identifier: GPL-3.0-or-later
"""Each measure against a closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backend.training.judges.measures import (
    Embedded,
    Interval,
    diversity,
    frechet_distance,
    matching_score,
    multimodality,
    r_precision,
    replicated,
)

RNG = np.random.default_rng(3)


def gaussian(mean: np.ndarray, covariance: np.ndarray, count: int = 500) -> np.ndarray:
    """Samples with exactly this mean and this covariance."""
    rows = np.random.default_rng(0).standard_normal((count, len(mean)))
    rows -= rows.mean(axis=0)
    rows = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows, rowvar=False))).T
    return mean + rows @ np.linalg.cholesky(covariance).T


def test_frechet_distance_of_gaussians_whose_covariances_commute() -> None:
    # Diagonal: |m1 - m2|^2 + sum (s1 - s2)^2 = 9 + 16 + (2 - 1)^2 + (3 - 5)^2.
    first = gaussian(np.zeros(2), np.diag([4.0, 9.0]))
    second = gaussian(np.array([3.0, 4.0]), np.diag([1.0, 25.0]))
    assert frechet_distance(first, second) == pytest.approx(30.0, abs=1e-8)
    assert frechet_distance(second, first) == pytest.approx(30.0, abs=1e-8)
    assert frechet_distance(first, first) == pytest.approx(0.0, abs=1e-8)


def test_frechet_distance_of_gaussians_whose_covariances_do_not_commute() -> None:
    first, second = np.array([[2.0, 1.0], [1.0, 2.0]]), np.diag([4.0, 1.0])
    # For 2 x 2 matrices tr sqrt(M) = sqrt(tr M + 2 sqrt(det M)).
    product = first @ second
    root = math.sqrt(np.trace(product) + 2.0 * math.sqrt(np.linalg.det(product)))
    expected = np.trace(first) + np.trace(second) - 2.0 * root
    zero = np.zeros(2)
    assert frechet_distance(gaussian(zero, first), gaussian(zero, second)) == pytest.approx(expected, abs=1e-8)


def test_frechet_distance_survives_fewer_motions_than_dimensions() -> None:
    rows = RNG.standard_normal((10, 40))
    assert frechet_distance(rows, rows) == pytest.approx(0.0, abs=1e-8)
    assert frechet_distance(rows, rows + 2.0) == pytest.approx(160.0, abs=1e-6)
    with pytest.raises(ValueError, match="two motions"):
        frechet_distance(rows[:1], rows)


def test_r_precision_counts_ranks() -> None:
    motions = np.arange(32.0)[:, None] * 10
    assert r_precision(motions, motions) == {1: 1.0, 2: 1.0, 3: 1.0}
    # Texts that lie nearest to the next motion, then their own: second place, but for the last one, which has no next.
    assert r_precision(motions + 6.0, motions) == {1: 1 / 32, 2: 1.0, 3: 1.0}
    # Beyond the next: third place for all but the last two.
    assert r_precision(motions + 11.0, motions) == {1: 1 / 32, 2: 2 / 32, 3: 1.0}


def test_r_precision_of_an_evaluator_that_knows_nothing() -> None:
    same = np.zeros((64, 3))
    assert r_precision(same, same) == {1: 0.0, 2: 0.0, 3: 0.0}
    texts, motions = RNG.standard_normal((2, 32 * 200, 8))
    for top, share in r_precision(texts, motions).items():
        assert share == pytest.approx(top / 32, abs=0.01)


def test_r_precision_leaves_out_an_unfilled_batch_and_needs_a_full_one() -> None:
    motions = np.arange(40.0)[:, None]
    texts = motions.copy()
    texts[32:] = -1000.0
    assert r_precision(texts, motions)[1] == 1.0
    with pytest.raises(ValueError, match="32 pairs"):
        r_precision(texts[:31], motions[:31])


def test_matching_score_is_the_mean_distance() -> None:
    texts = np.zeros((4, 2))
    motions = np.array([[3.0, 4.0], [0.0, 0.0], [6.0, 8.0], [0.0, 5.0]])
    assert matching_score(texts, motions) == 5.0


def test_diversity_and_multimodality_by_hand() -> None:
    # Two points at distance 2: a random pair is apart half of the time.
    points = np.tile([[0.0], [2.0]], (2000, 1))
    assert diversity(points, np.random.default_rng(0)) == pytest.approx(1.0, abs=0.2)
    assert diversity(np.ones((50, 4)), np.random.default_rng(0)) == 0.0
    # Gaussian: |x - y| of independent standard normals in one dimension has the mean 2 / sqrt(pi).
    repeats = np.random.default_rng(1).standard_normal((400, 30, 1))
    assert multimodality(repeats, np.random.default_rng(2)) == pytest.approx(2 / math.sqrt(math.pi) * 29 / 30, abs=0.05)
    far = np.arange(5.0)[:, None, None] * 100 + np.zeros((5, 30, 3))
    assert multimodality(far, np.random.default_rng(0)) == 0.0


def test_the_interval_of_replications() -> None:
    interval = Interval.of([1.0, 3.0] * 10)
    assert interval.mean == 2.0
    assert interval.half_width == pytest.approx(1.96 / math.sqrt(20))
    assert math.isnan(Interval.of([1.0]).half_width)


def test_the_protocol_reports_data_and_generations() -> None:
    rng = np.random.default_rng(0)
    texts = rng.standard_normal((64, 6))

    def replication(number: int) -> Embedded:
        made = texts + 0.1 * np.random.default_rng(number).standard_normal(texts.shape)
        return Embedded(texts, texts, made, rng.standard_normal((5, 30, 6)))

    found = replicated(replication, 20)
    assert found["real R-precision 1"] == Interval(1.0, 0.0)
    assert found["real matching score"] == Interval(0.0, 0.0)
    assert found["R-precision 1"].mean > 0.9
    assert 0 < found["FID"].mean < 0.1
    assert found["matching score"].half_width > 0
    assert {"diversity", "real diversity", "multimodality"} <= found.keys()
