# SPDX-License-Identifier: GPL-3.0-or-later
"""The hybrid score of the paper (section 3.2): close in words and close in length. Pure numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import ArrayLike, NDArray

KINEMATIC: Final = 0.1
"""The paper's coefficient of the length difference."""


def hybrid_scores(
    query: ArrayLike, clip_features: ArrayLike, length: float, lengths: ArrayLike, kinematic: float = KINEMATIC
) -> NDArray[np.float64]:
    """Score of N clips for a text feature `query` (D,) and a wanted `length` in frames.

    `clip_features` (N, D) and `query` need no particular scale, `lengths` (N,) are frames. Returns (N,) float64:
    cosine similarity times exp(-kinematic |l - length| / max(l, length)).
    """
    rows = np.asarray(clip_features, np.float64)
    vector = np.asarray(query, np.float64)
    scale = np.linalg.norm(rows, axis=1) * np.linalg.norm(vector)
    cosine = rows @ vector / np.maximum(scale, np.finfo(np.float64).tiny)
    return cosine * length_factors(length, lengths, kinematic)


def length_factors(length: ArrayLike, lengths: ArrayLike, kinematic: float = KINEMATIC) -> NDArray[np.float64]:
    """The factor of the hybrid score that compares lengths, (N,) within (0, 1]."""
    frames, wanted = np.asarray(lengths, np.float64), np.asarray(length, np.float64)
    return np.exp(-kinematic * np.abs(frames - wanted) / np.maximum(frames, wanted))


def choose(
    scores: ArrayLike,
    clips: ArrayLike,
    wanted: int,
    pinned: Sequence[int] = (),
    banned: Collection[int] = (),
) -> list[int]:
    """Rows of the `wanted` best clips, best first; fewer where there are fewer.

    Row i says that clip `clips[i]` has `scores[i]`; a clip may have several rows, its best counts. Equal scores go by
    clip id. `pinned` clips come first in the order given, whatever they score; `banned` clips never come.
    """
    scores, clips = np.asarray(scores), np.asarray(clips)
    order = np.lexsort((clips, -scores))
    _, first = np.unique(clips[order], return_index=True)
    best = order[np.sort(first)]
    held = clips[best]
    pins = [row for clip in pinned if clip not in banned for row in best[held == clip]]
    others = best[~np.isin(held, [*pinned, *banned])]
    return [int(row) for row in [*pins, *others][: max(wanted, 0)]]


def from_index_table(neighbours: Sequence[int], wanted: int, own: int | None = None) -> list[int]:
    """The first `wanted` entries of one row of a database's neighbour table, nearest first.

    The official code's other way to retrieve, for prompts that are entries of the data set themselves; in training
    `own`, the entry itself, is left out.
    """
    return [int(entry) for entry in neighbours if entry != own][:wanted]
