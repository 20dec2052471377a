# SPDX-License-Identifier: GPL-3.0-or-later
"""Who moves makes no difference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.generate import Generator
from backend.request import Request
from backend.text.subject import neutral

PAIRS = {
    "a person jumps": "a person jumps",
    "The man sits himself down": "a person sits themselves down",
    "he waves his right hand": "a person waves their right hand",
    "an old woman is dancing": "a person is dancing",
    "a very tall man kneels": "a person kneels",
    "Someone gets up": "a person gets up",
    "they walk": "a person walk",
    "sit down": "a person sit down",
    "Walking in a circle": "a person walking in a circle",
    "jumps over a man": "a person jumps over a man",
}

OTHERS = (
    "a zombie limps",
    "the slow walk of a king",
    "her arms go up",
    "both hands rise",
    "a man's arm waves",
    "he",
    "",
)


@pytest.mark.parametrize("prompt", PAIRS)
def test_people_are_a_person(prompt: str) -> None:
    assert neutral(prompt) == PAIRS[prompt]


@pytest.mark.parametrize("prompt", OTHERS)
def test_what_is_about_anything_else_stays_as_it_is(prompt: str) -> None:
    assert neutral(prompt) == prompt


def test_a_take_does_not_depend_on_who_does_it() -> None:
    generator = Generator.load()
    sampler = generator.model.card.sampler
    assert sampler.neutral_subject
    one, other = (generator.generate(Request(prompt, 1.0, 3))[0] for prompt in ("a person bows", "The old lady bows"))
    assert (one.motion.positions == other.motion.positions).all()
    assert other.provenance.prompt == "The old lady bows", "what the animator wrote is kept"
    literal = generator.with_sampler(replace(sampler, neutral_subject=False))
    assert (literal.generate(Request("The old lady bows", 1.0, 3))[0].motion.positions != one.motion.positions).any()
