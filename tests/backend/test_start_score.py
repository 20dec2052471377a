# SPDX-License-Identifier: GPL-3.0-or-later
"""A take begins with a reference only where one was found that fits the words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.generate import Generator
from backend.request import Request

CLOSE, FAR = Request("a person walks forward", 2.0), Request("an accordion of tax forms", 2.0)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.load()


def start(generator: Generator, request: Request) -> int:
    return generator.generate(request)[0].provenance.sampler["start"]["timestep"]


def test_words_that_no_clip_has_begin_with_noise(generator: Generator) -> None:
    wordy = generator.with_sampler(replace(generator.model.card.sampler, start_score=0.9))
    assert start(wordy, CLOSE) == wordy.model.card.sampler.start_timestep > 0
    assert start(wordy, FAR) == 0


def test_a_pinned_clip_is_what_a_take_begins_with_whatever_the_words(generator: Generator) -> None:
    library = generator.libraries[0]
    pinned = replace(FAR, pinned=((library.name, library.clips()[0]),))
    assert start(generator, pinned) == generator.model.card.sampler.start_timestep


def test_the_card_says_from_which_score_on(generator: Generator) -> None:
    sampler = generator.model.card.sampler
    assert start(generator.with_sampler(replace(sampler, start_score=1.0)), CLOSE) == 0
    assert start(generator.with_sampler(replace(sampler, start_score=0.0)), FAR) == sampler.start_timestep
