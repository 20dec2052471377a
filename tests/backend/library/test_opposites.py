# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from backend.library.opposites import contradictions, sides


@pytest.mark.parametrize(
    ("prompt", "caption", "count"),
    [
        ("a person kicks with the right leg", "a person kicks with the left leg", 1),
        ("a person kicks with the right leg", "a person kicks", 0),
        ("a person kicks", "a person kicks with the left leg", 0),
        ("a person jumps up and down", "a person sits down", 0),
        ("He slowly walks FORWARD and turns left.", "a person quickly walks backward and turns right", 3),
        ("a person turns left, then right", "a person turns right", 0),
    ],
)
def test_only_plain_opposites_contradict(prompt: str, caption: str, count: int) -> None:
    assert contradictions(sides(prompt), sides(caption)) == count
