# SPDX-License-Identifier: GPL-3.0-or-later
"""Searching one library's captions in memory: under 1 kB a clip, under 10 ms among 100,000."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import torch
from torch.nn import functional

from .retrieval import choose, hybrid_scores, length_factors

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

LONGEST: Final = 400
"""Frames at 20 fps; no model of this kind knows motions as long."""
SCREEN_ERROR: Final = 2e-3
"""Bound on the error of a float16 dot product of unit vectors: 2^-11 for each factor and for the result, doubled."""


BATCH: Final = 4096

_ROW: Final = np.dtype([("clip", np.int64), ("text", np.int64), ("frames", np.float64)])


@dataclass(frozen=True, slots=True)
class CaptionIndex:
    """Row i of `clips`, `texts` and `frames` says: clip `clips[i]`, `lengths[frames[i]]` frames long, has `texts[i]`.

    `vectors` (M, D) float16 are the sentence vectors of the M distinct texts, of unit length, and `text_ids` (M,) their
    ids in the file; `texts` points into both. `lengths` (L,) are the distinct lengths at 20 fps, whole numbers or not.
    `most_captions` is the largest number of rows that a clip has.
    """

    vectors: Tensor
    text_ids: NDArray[np.int64]
    clips: NDArray[np.int64]
    texts: NDArray[np.int32]
    frames: NDArray[np.int16]
    lengths: NDArray[np.float64]
    most_captions: int

    @classmethod
    def build(
        cls,
        most_texts: int,
        sentences: Iterable[tuple[int, bytes]],
        captions: Iterable[tuple[int, int, float]],
        width: int,
    ) -> Self:
        """From rows (text id, float16 vector), at most `most_texts`, ascending by id, and (clip id, text id, frames).

        Raises ValueError on impossible rows, LookupError where a caption's text has no vector.
        """
        known = np.empty(most_texts, np.int64)
        # Filled part by part: a list of all rows would take the memory twice, and it would not come back.
        matrix = np.empty((most_texts, width), np.float16)
        filled, remaining = 0, iter(sentences)
        while rows := list(islice(remaining, BATCH)):
            place = slice(filled, filled := filled + len(rows))
            ids, vectors = zip(*rows, strict=True)
            if set(map(type, vectors)) != {bytes} or set(map(len, vectors)) != {2 * width}:
                raise ValueError("a sentence vector has another size")
            known[place] = ids
            matrix[place] = np.frombuffer(b"".join(vectors), np.float16).reshape(-1, width)
            if _any_not_finite(matrix[place]):
                raise ValueError("a sentence vector is not finite")
        known, matrix = known[:filled], matrix[:filled]
        rows = np.fromiter(captions, _ROW)
        clips, texts = rows["clip"].copy(), rows["text"]
        lengths, frames = np.unique(rows["frames"], return_inverse=True)
        if not ((lengths > 0) & (lengths <= LONGEST)).all():
            raise ValueError("a length is out of range")
        if not np.isin(texts, known).all():
            raise LookupError
        places = np.searchsorted(known, texts).astype(np.int32)
        _, counts = np.unique(clips, return_counts=True)
        most = int(counts.max(initial=1))
        return cls(torch.from_numpy(matrix), known, clips, places, frames.astype(np.int16), lengths, most)

    def search(
        self,
        query: Tensor,
        length: float,
        wanted: int,
        pinned: Sequence[int] = (),
        banned: Collection[int] = (),
    ) -> list[tuple[int, float]]:
        """(row, hybrid score) of the best clips for a unit text vector (D,), as `retrieval.choose` orders them."""
        rows = self._screen(query, length, wanted, pinned, banned)
        vectors = self.vectors[torch.from_numpy(self.texts[rows])].numpy()
        scores = hybrid_scores(query.numpy(), vectors, length, self.lengths[self.frames[rows]])
        return [(int(rows[i]), float(scores[i])) for i in choose(scores, self.clips[rows], wanted, pinned, banned)]

    def _screen(
        self, query: Tensor, length: float, wanted: int, pinned: Sequence[int], banned: Collection[int]
    ) -> NDArray[np.intp]:
        """Rows that hold all of the best clips: one pass in float16, so only a few need the exact score.

        A clip has at most `most_captions` rows, so the best `most_captions * wanted` rows hold `wanted` clips.
        """
        if len(self.clips) == 0:
            return np.empty(0, np.intp)
        factors = length_factors(length, self.lengths).astype(np.float32)
        scores = functional.linear(query.half(), self.vectors).float().numpy()[self.texts] * factors[self.frames]
        if banned:
            scores[np.isin(self.clips, list(banned))] = -np.inf
        count = min(self.most_captions * max(wanted, 1), len(scores))
        kept = scores >= np.partition(scores, -count)[-count] - SCREEN_ERROR
        if pinned:
            kept |= np.isin(self.clips, pinned)
        return np.flatnonzero(kept)


def _any_not_finite(halves: NDArray[np.float16]) -> bool:
    """By the bits: numpy's own check of float16 is ten times slower."""
    return bool(((halves.view(np.uint16) & 0x7C00) == 0x7C00).any())
