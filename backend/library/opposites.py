# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that exclude each other. Sentence vectors hardly tell left from right; an animator does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPPOSITES: Final[tuple[tuple[frozenset[str], frozenset[str]], ...]] = tuple(
    (frozenset(one.split()), frozenset(other.split()))
    for one, other in (
        ("left counterclockwise", "right clockwise"),
        ("forward forwards ahead", "backward backwards back reverse rearward"),
        ("up upward upwards", "down downward downwards"),
        (
            "slow slowly leisurely leisure unhurried relaxed dawdles strolls stroll saunters ambles plods creeps",
            "fast faster quick quickly rapid rapidly brisk briskly swift swiftly hurry hurries hurriedly haste hastily "
            "rush rushes sprint sprints race races",
        ),
    )
)


def sides(text: str) -> NDArray[np.int8]:
    """(len(OPPOSITES),): 1 where the text says one word of a pair only, -1 where it says the other only, else 0."""
    words = frozenset(re.findall(r"[a-z]+", text.lower()))
    return np.array([bool(words & one) - bool(words & other) for one, other in OPPOSITES], np.int8)


def contradictions(one: NDArray[np.int8], other: NDArray[np.int8]) -> NDArray[np.int64]:
    """In how many ways two texts exclude each other, from their `sides`; either may be a stack of them (N, pairs)."""
    return (one * other == -1).sum(axis=-1)
