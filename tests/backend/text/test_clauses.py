# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from backend.text.clauses import clauses


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("a person walks forward, then waves", ["a person walks forward", "a person waves"]),
        ("a person walks forward and then waves", ["a person walks forward", "a person waves"]),
        ("a person walks then waves", ["a person walks", "a person waves"]),
        ("he jumps. Then he sits", ["he jumps", "he sits"]),
        ("she runs; stops", ["she runs", "a person stops"]),
        (
            "a man bows, and then he walks away, finally sits down",
            ["a man bows", "he walks away", "a person sits down"],
        ),
        ("walks and waves", ["walks and waves"]),
        ("then walks", ["then walks"]),
        ("a person walks.", ["a person walks."]),
        ("an athlete then jumps", ["an athlete then jumps"]),
        ("he then jumps", ["he then jumps"]),
        ("they walk next to a wall", ["they walk next to a wall"]),
        ("走り、それから座る", ["走り、それから座る"]),
        ("...", ["..."]),
    ],
)
def test_a_prompt_is_split_where_it_says_one_thing_after_another(prompt: str, parts: list[str]) -> None:
    assert list(clauses(prompt)) == parts
