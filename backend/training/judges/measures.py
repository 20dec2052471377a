# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures of generated motion against data, in the space of a text-motion evaluator (Guo et al., CVPR 2022).

All take embeddings (N, D) as float arrays; row i of the texts belongs to row i of the motions. No torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Embeddings = NDArray[np.floating]

AMONG: Final = 32
"""Motions among which a text must find its own."""
TOP: Final = (1, 2, 3)
DIVERSITY_PAIRS: Final = 300
PICKS: Final = 10
"""Pairs per text for multimodality."""
REPLICATIONS: Final = 20
CONFIDENCE: Final = 1.96
"""Standard errors to each side that hold 95 %."""


def distances(texts: Embeddings, motions: Embeddings) -> NDArray[np.float64]:
    """(N, M) Euclidean distances of texts (N, D) and motions (M, D)."""
    texts, motions = np.asarray(texts, np.float64), np.asarray(motions, np.float64)
    squared = (texts**2).sum(1)[:, None] - 2.0 * texts @ motions.T + (motions**2).sum(1)[None]
    return np.sqrt(np.maximum(squared, 0.0))


def r_precision(texts: Embeddings, motions: Embeddings, among: int = AMONG) -> dict[int, float]:
    """The share of texts whose own motion is among the nearest 1, 2 and 3 of `among`; what is left over at the end is
    left out, as fewer motions would be easier. Raises ValueError where there are fewer than `among`.

    A tie counts against the text: an evaluator that maps everything to one point knows nothing.
    """
    whole = len(texts) // among * among
    if whole == 0:
        raise ValueError(f"R-precision needs at least {among} pairs, not {len(texts)}")
    hits = dict.fromkeys(TOP, 0)
    for start in range(0, whole, among):
        rows = slice(start, start + among)
        apart = distances(texts[rows], motions[rows])
        own = np.diag(apart)
        before = (apart <= own[:, None]).sum(axis=1) - 1
        for top in TOP:
            hits[top] += int((before < top).sum())
    return {top: count / whole for top, count in hits.items()}


def matching_score(texts: Embeddings, motions: Embeddings) -> float:
    """Mean distance of a text and its motion."""
    return float(np.linalg.norm(np.asarray(texts, np.float64) - motions, axis=1).mean())


def frechet_distance(real: Embeddings, made: Embeddings) -> float:
    """FID: the squared Frechet distance of the Gaussians that fit both sets, |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2).

    The trace of the root is the sum of the roots of the eigenvalues of C1^1/2 C2 C1^1/2, which is symmetric: no complex
    numbers, no matrix that must be regular.
    """
    if min(len(real), len(made)) < 2:
        raise ValueError("the Frechet distance needs at least two motions of each kind")
    real, made = np.asarray(real, np.float64), np.asarray(made, np.float64)
    first, second = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (real, made))
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ second @ root)
    gap = real.mean(axis=0) - made.mean(axis=0)
    trace = np.trace(first) + np.trace(second) - 2.0 * np.sqrt(np.maximum(cross, 0.0)).sum()
    return float(gap @ gap + max(trace, 0.0))


def diversity(motions: Embeddings, rng: np.random.Generator, pairs: int = DIVERSITY_PAIRS) -> float:
    """Mean distance of `pairs` random pairs of motions, no motion twice on one side."""
    pairs = min(pairs, len(motions))
    first, second = (motions[rng.choice(len(motions), pairs, replace=False)] for _ in range(2))
    return float(np.linalg.norm(first - second, axis=1).mean())


def multimodality(motions: Embeddings, rng: np.random.Generator, picks: int = PICKS) -> float:
    """Mean distance of motions of one text: (texts, generations, D), of each text `picks` random pairs."""
    picks = min(picks, motions.shape[1])
    first, second = (
        np.stack([rows[rng.choice(len(rows), picks, replace=False)] for rows in motions]) for _ in range(2)
    )
    return float(np.linalg.norm(first - second, axis=-1).mean())


@dataclass(frozen=True, slots=True)
class Interval:
    """`mean` over the replications, and how far to each side the true one lies with 95 % confidence."""

    mean: float
    half_width: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Interval:
        """One value alone says nothing of its confidence: NaN."""
        if len(values) < 2:
            return cls(float(np.mean(values)), float("nan"))
        return cls(float(np.mean(values)), float(CONFIDENCE * np.std(values) / np.sqrt(len(values))))


@dataclass(frozen=True, slots=True)
class Embedded:
    """One replication: the test set's texts and motions, and those made from the same texts, all (N, D);
    `repeats` (texts, generations, D) of some texts."""

    texts: Embeddings
    real: Embeddings
    made: Embeddings
    repeats: Embeddings | None = None


def replicated(
    replication: Callable[[int], Embedded], replications: int = REPLICATIONS, seed: int = 0
) -> dict[str, Interval]:
    """The protocol: every measure over the replications, of the data ("real ...") and of what was made."""
    values: dict[str, list[float]] = {}
    for number in range(replications):
        each = replication(number)
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
        order = rng.permutation(len(each.texts))
        texts = each.texts[order]
        for name, motions in (("real ", each.real[order]), ("", each.made[order])):
            found = {f"R-precision {top}": share for top, share in r_precision(texts, motions).items()}
            found |= {"matching score": matching_score(texts, motions), "diversity": diversity(motions, rng)}
            if not name:
                found["FID"] = frechet_distance(each.real, motions)
                if each.repeats is not None:
                    found["multimodality"] = multimodality(each.repeats, rng)
            for measure, value in found.items():
                values.setdefault(name + measure, []).append(value)
    return {name: Interval.of(one) for name, one in values.items()}
