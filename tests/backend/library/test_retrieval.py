# SPDX-License-Identifier: GPL-3.0-or-later
"""The hybrid score and the choice by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.library import choose, hybrid_scores
from backend.library.index import CaptionIndex
from backend.library.retrieval import from_index_table

GOLDEN = Path(__file__).parents[2] / "fixtures" / "parity_small.npz"


def test_scores_and_choices_equal_the_official_ones() -> None:
    golden = np.load(GOLDEN)
    lengths = golden["db/m_lengths"]
    for row, (query, length) in enumerate(zip(golden["query/text_feature"], golden["query/length"], strict=True)):
        scores = hybrid_scores(query, golden["db/text_features"], int(length), lengths)
        np.testing.assert_allclose(scores, golden["retrieve/score"][row], atol=1e-7)
        assert choose(scores, np.arange(len(scores)), 2) == golden["retrieve/topk_eval"][row].tolist()
        in_training = np.flatnonzero(lengths == length)
        assert (
            choose(scores, np.arange(len(scores)), 2, banned=in_training) == golden["retrieve/topk_train"][row].tolist()
        )


def test_the_index_tables_rows_are_cut_and_spare_the_entry_itself() -> None:
    assert from_index_table([4, 0, 7, 2], 2) == [4, 0]
    assert from_index_table([4, 0, 7, 2], 2, own=4) == [0, 7]
    assert from_index_table([4], 2, own=4) == []


def test_score_of_the_paper_by_hand() -> None:
    scores = hybrid_scores([2.0, 0.0], [[3.0, 4.0], [1.0, 0.0], [0.0, 0.0]], 100, [50, 100, 100])
    np.testing.assert_allclose(scores, [0.6 * np.exp(-0.1 * 0.5), 1.0, 0.0])


def test_ties_go_by_clip_id_and_a_clip_comes_once() -> None:
    assert choose([0.5, 0.9, 0.9, 0.9], [7, 9, 4, 9], 3) == [2, 1, 0]


def test_pins_come_first_bans_never() -> None:
    scores, clips = [0.1, 0.9, 0.8, 0.7], [1, 2, 3, 4]
    assert choose(scores, clips, 3, pinned=[4, 1], banned=[2]) == [3, 0, 2]
    assert choose(scores, clips, 2, pinned=[2], banned=[2]) == [2, 3]
    assert choose(scores, clips, 0) == []


def test_fewer_clips_than_wanted_gives_what_there_is() -> None:
    assert choose([0.3], [5], 4) == [0]
    assert choose([], [], 4) == []


def random_index(rng: np.random.Generator, texts: int, rows: int, width: int = 24) -> CaptionIndex:
    vectors = rng.standard_normal((texts, width)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    sentences = [(10 * i + 3, row.astype(np.float16).tobytes()) for i, row in enumerate(vectors)]
    captions = [
        (int(clip), 10 * int(text) + 3, int(frames))
        for clip, text, frames in zip(
            np.sort(rng.integers(1, 1 + rows // 2, rows)),
            rng.integers(0, texts, rows),
            rng.integers(16, 197, rows),
            strict=True,
        )
    ]
    return CaptionIndex.build(len(sentences), sentences, captions, width)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_screening_loses_no_clip(seed: int, wanted: int) -> None:
    rng = np.random.default_rng(seed)
    index = random_index(rng, texts=40, rows=2000)
    query = torch.nn.functional.normalize(torch.from_numpy(rng.standard_normal(24).astype(np.float32)), dim=0)
    banned, pinned = rng.choice(index.clips, 3).tolist(), rng.choice(index.clips, 1).tolist()
    scores = hybrid_scores(query.numpy(), index.vectors.numpy()[index.texts], 90, index.lengths[index.frames])
    expected = choose(scores, index.clips, wanted, pinned, banned)
    found = index.search(query, 90, wanted, pinned, banned)
    assert [index.clips[row] for row, _ in found] == index.clips[expected].tolist()
    np.testing.assert_allclose([score for _, score in found], scores[expected])
