# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that exclude each other. Sentence vectors hardly tell left from right; an animator does."""

from __future__ import annotations

import re
from typing import Final

OPPOSITES: Final[tuple[tuple[frozenset[str], frozenset[str]], ...]] = tuple(
    (frozenset(one.split()), frozenset(other.split()))
    for one, other in (
        ("left counterclockwise", "right clockwise"),
        ("forward forwards ahead", "backward backwards back reverse"),
        ("up upward upwards", "down downward downwards"),
        ("slow slowly", "fast quick quickly briskly"),
    )
)


def contradictions(prompt: str, caption: str) -> int:
    """In how many ways the two exclude each other: one says only left, the other only right, and so on."""
    words = [frozenset(re.findall(r"[a-z]+", text.lower())) for text in (prompt, caption)]
    count = 0
    for one, other in OPPOSITES:
        prompt_says, caption_says = ((bool(each & one), bool(each & other)) for each in words)
        count += prompt_says in ((True, False), (False, True)) and caption_says == prompt_says[::-1]
    return count
