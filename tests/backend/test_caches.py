# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered between requests (texts, libraries' indexes, packed weights) never answers another request."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from gaits import CAPTIONS, gait_clip
from random_model import CONFIG, save_random_model

from backend.generate import Generator
from backend.library import Library
from backend.model_folder import load_model
from backend.request import Canvas, Request
from backend.text import CachedEncoder, cache
from backend.text.minilm import MiniLM

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from backend.request import Take
    from backend.text import TextEncoder

FIRST = Request("a person walks forward", 3.0, seed=3, pinned=(("gaits", 2),))
CHANGES: dict[str, object] = {
    "prompt": "a person walks backward",
    "seconds": 3.5,
    "seed": 4,
    "count": 2,
    "quality": "fast",
    "balance": 0.5,
    "scale": 2.0,
    "pinned": (("gaits", 3),),
    "banned": (("gaits", 2),),
    "then": (("a person runs", 2.0),),
    "strength": 0.5,
}


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    save_random_model(tmp_path / "model", config=replace(CONFIG, aligned_reference=True))
    return tmp_path / "model"


def _takes(takes: Sequence[Take]) -> tuple[list[np.ndarray], list[object]]:
    return [take.motion.positions for take in takes], [take.provenance.references for take in takes]


def _equal(one: Sequence[Take], other: Sequence[Take]) -> bool:
    (positions, references), (other_positions, other_references) = _takes(one), _takes(other)
    return (
        len(positions) == len(other_positions)
        and all(map(np.array_equal, positions, other_positions))
        and references == other_references
    )


def _canvas(motion_of: Take) -> Canvas:
    free = np.zeros((motion_of.motion.frames, 22), dtype=bool)
    free[20:40] = True
    return Canvas(motion_of.motion, free)


def test_no_two_requests_that_differ_in_one_field_share_an_answer(model_folder: Path, library_file: Path) -> None:
    """A generator that has answered all of them answers each as a fresh one does."""
    words = MiniLM.load()

    def fresh() -> Generator:
        return Generator(load_model(model_folder), CachedEncoder(words), [Library.open(library_file)])

    canvas = _canvas(fresh().generate(FIRST)[0])
    requests = {name: replace(FIRST, **{name: value}) for name, value in CHANGES.items()}
    requests["strength"] = replace(requests["strength"], canvas=canvas)
    requests |= {"nothing": FIRST, "canvas": replace(FIRST, canvas=canvas)}
    assert {field.name for field in fields(Request)} == requests.keys() - {"nothing"}

    warm = fresh()
    expected = {name: fresh().generate(request) for name, request in requests.items()}
    for order in (requests, dict(reversed(requests.items()))):
        for name, request in order.items():
            assert _equal(warm.generate(request), expected[name]), name
    for name, takes in expected.items():
        others = [each for other, each in expected.items() if other != name]
        assert not any(_equal(takes, other) for other in others), name


def test_a_clip_that_comes_or_goes_is_noticed_at_once(model_folder: Path, library_file: Path) -> None:
    warm = Generator.load(model_folder, [library_file], "cpu")
    request = Request("a person swims", 3.0, seed=3)
    before = warm.generate(request)
    with Library.open(library_file, write=True) as other:
        number = other.add(replace(gait_clip(next(iter(CAPTIONS)), 61), captions=("a person swims",)))
        other.index(MiniLM.load())
        with_it = warm.generate(request)
        assert with_it[0].provenance.references[0].caption == "a person swims"
        assert not _equal(with_it, before)
        other.remove(number)
    assert _equal(warm.generate(request), before)


def test_models_with_one_encoder_and_library_share_no_take(
    tmp_path: Path, model_folder: Path, library_file: Path, encoder: TextEncoder
) -> None:
    save_random_model(tmp_path / "other", config=replace(CONFIG, local_mixing=3))
    one, two = (Generator.load(folder, [library_file], "cpu") for folder in (model_folder, tmp_path / "other"))
    first = one.generate(FIRST)
    assert not _equal(two.generate(FIRST), first)
    assert _equal(one.generate(FIRST), first)
    sampled = one.with_sampler(replace(one.model.card.sampler, start_timestep=0))
    assert not _equal(sampled.generate(FIRST), first)
    assert _equal(one.generate(FIRST), first)


def test_a_library_of_the_same_name_in_another_place_is_another(
    tmp_path: Path, model_folder: Path, library_file: Path, encoder: TextEncoder
) -> None:
    (tmp_path / "elsewhere").mkdir()
    with Library.create(tmp_path / "elsewhere" / library_file.name) as other:
        other.add(gait_clip(list(CAPTIONS)[-1], 90))
        other.index(encoder)
    one = Generator.load(model_folder, [library_file], "cpu").generate(replace(FIRST, pinned=()))
    two = Generator.load(model_folder, [tmp_path / "elsewhere" / library_file.name], "cpu").generate(
        replace(FIRST, pinned=())
    )
    assert not _equal(one, two)


def test_remembered_texts_are_those_texts_and_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "CACHED_TEXTS", 8)
    plain = MiniLM.load()
    cached = CachedEncoder(plain)
    texts = [f"walks {number} steps" for number in range(11)]
    for text in texts:
        cached.encode([text])
    assert len(cached._known) == 8
    # Blanks, case and accents: whatever the encoder tells apart is told apart here.
    for text in (texts[0], texts[-1], "Walks 3 steps", "walks 3 steps ", "walks 3 stéps", "walks 3 steps"):
        one, other = cached.encode([text, texts[5]]), plain.encode([text])
        np.testing.assert_array_equal(one.sentence[0], other.sentence[0])
        np.testing.assert_array_equal(one.tokens[0][one.mask[0]], other.tokens[0][other.mask[0]])
