# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking a prompt apart that says one thing after another. A sentence vector blurs them; each alone is clear."""

from __future__ import annotations

import re
from typing import Final

from .subject import WHO

_BETWEEN: Final = re.compile(
    r"\s*[;.]\s+(?:then\b[\s,]*)?"
    r"|,?\s+(?:(?:and|but)\s+)?then\b[\s,]*"
    r"|(?:,|\s+(?:and|but))\s+(?:afterwards?|after\s+that|finally|next)\b[\s,]*",
    re.IGNORECASE,
)
_SUBJECT: Final = re.compile(
    r"(?:an?|the|this|that|some|his|her|their|he|she|it|they|someone|somebody|i|you|we)\b", re.IGNORECASE
)
_PRONOUNS: Final = frozenset(("he", "she", "it", "they", "someone", "somebody", "i", "you", "we"))


def clauses(prompt: str) -> tuple[str, ...]:
    """ "a man walks, then sits down" -> ("a man walks", "a person sits down"); the prompt alone where it is one thing.

    Only words that say so separate: "walks and waves" may well mean both at once.
    """
    parts = [part.strip(" ,.;") for part in _BETWEEN.split(prompt)]
    parts = [part for part in parts if re.search(r"\w", part)]
    # "a man then jumps" has one clause: nobody does anything in "a man".
    if len(parts) < 2 or _only_subject(parts[0]):
        return (prompt,)
    return tuple(part if _SUBJECT.match(part) else f"{WHO} {part}" for part in parts)


def _only_subject(part: str) -> bool:
    first, *others = part.lower().split()
    return len(others) <= (0 if first in _PRONOUNS else 1) and _SUBJECT.match(part) is not None
