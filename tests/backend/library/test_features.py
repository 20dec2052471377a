# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips that carry the features of an official database, and libraries from before there were any."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from gaits import gait_clip

from backend.errors import BackendError
from backend.library import Clip, Features, Library
from backend.library.retrieval import hybrid_scores

if TYPE_CHECKING:
    from pathlib import Path

    from backend.text import TextEncoder

WALK, RUN = "a person walks forward", "a person runs forward"


def featured(frames: int, source: str, caption: str = WALK, seed: int = 0) -> Clip:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((frames, 251)).astype(np.float32)
    tokens = rng.standard_normal((77, 8)).astype(np.float16)
    return replace(gait_clip(caption), source=source, features=Features("humanml3d-251", 12.5, rows, "clip", tokens))


def vectors(count: int) -> np.ndarray:
    rows = np.random.default_rng(5).standard_normal((count, 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def test_features_come_back_bit_for_bit(tmp_path: Path) -> None:
    clip = featured(150, "archive, entry 0")
    with Library.create(tmp_path / "official.sqlite") as library:
        library.add_indexed([clip], "clip", vectors(1))
        assert library.layouts() == {"humanml3d-251"}
        library.add(gait_clip(RUN))
        assert library.layouts() == {"humanml3d-251", None}
    with Library.open(tmp_path / "official.sqlite") as library:
        back, plain = (library.clip(number).features for number in library.clips())
    assert plain is None
    assert back is not None
    assert clip.features is not None
    assert (back.layout, back.fps, back.encoder) == ("humanml3d-251", 12.5, "clip")
    np.testing.assert_array_equal(back.rows, clip.features.rows)
    np.testing.assert_array_equal(back.tokens, clip.features.tokens)


def test_equal_motions_of_a_database_stay_entries_of_their_own(tmp_path: Path) -> None:
    entries = [featured(60, f"archive, entry {number}", caption) for number, caption in enumerate((WALK, RUN, WALK))]
    with Library.create(tmp_path / "official.sqlite") as library:
        library.add_indexed(entries, "clip", vectors(3)[[0, 1, 0]])
        assert len(library) == 3
        library.add_indexed(entries[:1], "clip", vectors(1))
        assert len(library) == 3
        found = library.search(torch.from_numpy(vectors(3)[0]).float(), "clip", 96, 2)
        assert [match.clip for match in found] == [1, 3]


def test_scores_compare_lengths_in_the_databases_own_frames(tmp_path: Path) -> None:
    frames = [24, 31, 57, 100, 143, 196]  # 31 and others are no whole numbers at 20 fps
    entries = [replace(featured(count, f"entry {count}"), captions=(f"caption {count}",)) for count in frames]
    known = vectors(len(frames))
    query = torch.from_numpy(vectors(7)[6]).float()
    with Library.create(tmp_path / "kit.sqlite") as library:
        library.add_indexed(entries, "clip", known)
        found = library.search(query, "clip", 50 * 20 / 12.5, len(frames))
    expected = hybrid_scores(query.numpy(), known, 50, frames)
    order = np.argsort(-expected)
    assert [match.clip for match in found] == [int(row) + 1 for row in order]
    np.testing.assert_allclose([match.score for match in found], expected[order], rtol=1e-12)


def make_older(path: Path) -> None:
    """The file as the first format had it."""
    with Library.open(path, write=True) as library:
        library.seal()
    connection = sqlite3.connect(path)
    connection.executescript("DROP TABLE features; DROP TABLE feature_rows; PRAGMA user_version = 1;")
    connection.close()


def test_a_library_of_the_first_format_is_read_as_it_is(library_file: Path, encoder: TextEncoder) -> None:
    make_older(library_file)
    before = library_file.read_bytes()
    query = encoder.encode([WALK]).sentence[0]
    with Library.open(library_file) as library:
        assert library.search(query, encoder.name, 60, 1)[0].caption == WALK
        assert library.clip(1).features is None
        assert library.layouts() == {None}
    assert library_file.read_bytes() == before


def test_writing_brings_the_first_format_up_to_date(library_file: Path, encoder: TextEncoder) -> None:
    make_older(library_file)
    with Library.open(library_file) as reader, Library.open(library_file, write=True) as writer:
        writer.add_indexed([featured(60, "entry 0")], encoder.name, encoder.encode([WALK]).sentence.half().numpy())
        assert len(reader) == 6
    with Library.open(library_file) as library:
        assert library.clip(6).features is not None
        for number in library.clips():
            library.clip(number)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE features SET frames = 0",
        "UPDATE features SET frames = 'many'",
        "UPDATE features SET token_count = 5",
        "UPDATE feature_rows SET rows = zeroblob(length(rows))",
        "UPDATE feature_rows SET rows = 'text'",
        "UPDATE feature_rows SET tokens = zeroblob(3)",
    ],
)
def test_altered_features_are_noticed(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "official.sqlite"
    with Library.create(path) as library:
        library.add_indexed([featured(60, "entry 0")], "clip", vectors(1))
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()
    with Library.open(path) as library, pytest.raises(BackendError) as caught:
        library.search(torch.ones(16), "clip", 80, 1)
        library.clip(1)
    assert caught.value.code == "library_damaged"
