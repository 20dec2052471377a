# SPDX-License-Identifier: GPL-3.0-or-later
"""Bone names taken apart: which side, which words, which number."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_BEGINNING: Final = re.compile(r"^[^\s._\-]+[\s._\-]+(?=.)")
_ENDING: Final = re.compile(r"(?<=.)[\s._\-]+[^\s._\-]+$")
_MARKS: Final = 4
_SIDES: Final = (("left", "right"), ("lft", "rgt"), ("lf", "rt"), ("l", "r"), ("左", "右"))
_GLUED: Final = ("left", "right", "左", "右")
_LEFT: Final = frozenset(("l", "left", "lf", "lft", "左"))
_RIGHT: Final = frozenset(("r", "right", "rt", "rgt", "右"))
# Words that say which rig or layer a bone belongs to, not which part of the body it is.
_NOISE: Final = re.compile(
    "bip|biped|valve|cc|base|def|dfm|deform|drv|org|bone|bn|joint|jnt|jt|skeleton|skel|rig|char|character|mixamorig"
    "|j|m|c|x|f|b|fk|avg|sk"
)
# What shows that a bone is a helper, whatever else its name says.
_HELPER: Final = re.compile(
    "twist|roll|ik|pole|target|mch|ctrl|control|share|end|leaf|nub|helper|adj|sec|opt|tweak|twk|vis|parent|pivot"
    "|corrective|dummy|site|ref|捩|先|親"
)


@dataclass(frozen=True)
class Name:
    """`side` is "left", "right" or ""; `core` the lower-case words without side, noise and digits, run together."""

    side: str
    core: str
    number: str
    helper: bool


@functools.lru_cache(maxsize=4096)
def key(name: str) -> str:
    """The name for comparisons: without namespace, in lower case, full-width letters narrowed, separators alike."""
    plain = unicodedata.normalize("NFKC", name).rpartition(":")[2]
    return re.sub(r"[\s.\-_]+", "_", plain).lower()


@functools.lru_cache(maxsize=4096)
def read(name: str) -> Name:
    """Takes a bone's name apart."""
    plain = unicodedata.normalize("NFKC", name).rpartition(":")[2]
    words: list[str] = []
    for word in _WORD.findall(plain):
        words.extend(_unglued(word.lower()))
    left = sum(word in _LEFT for word in words)
    right = sum(word in _RIGHT for word in words)
    side = "left" if left > right else "right" if right > left else ""
    digits = "".join(word for word in words if word.isdigit())
    rest = [word for word in words if word not in _LEFT and word not in _RIGHT and not word.isdigit()]
    core = [word for word in rest if not _NOISE.fullmatch(word)] or rest
    return Name(side, "".join(core), digits, any(map(_HELPER.fullmatch, words)))


def without_marks(called: tuple[str, ...], least: int) -> list[tuple[str, ...]]:
    """The names without what at least so many of them begin or end with ("Hero_", ".001"), once for each such mark, the
    most common first. Names without the mark are empty then: they belong to somebody else.
    """
    found: list[tuple[str, ...]] = []
    plain = [unicodedata.normalize("NFKC", name).rpartition(":")[2] for name in called]
    for pattern in (_BEGINNING, _ENDING):
        marks = [match.group() if (match := pattern.search(name)) else "" for name in plain]
        common = [mark for mark, count in Counter(marks).most_common(_MARKS) if mark and count >= least]
        for mark in (mark for mark in common if mark.strip("._- ").lower() not in _LEFT | _RIGHT):
            bare = zip(plain, marks, strict=True)
            front = pattern is _BEGINNING
            found.append(
                tuple((name[len(mark) :] if front else name[: -len(mark)]) if own == mark else "" for name, own in bare)
            )
    return found


def mirrored(name: str) -> str:
    """The name with its sides exchanged, spelled as it was: "thigh.L" -> "thigh.R"; the same name without a side.

    Full-width letters come out narrow: compare by `key`.
    """
    other = {one: two for pair in _SIDES for one, two in (pair, pair[::-1])}

    def exchanged(found: re.Match[str]) -> str:
        word = found.group()
        low = word.lower()
        if low in other:
            return _as_spelled(word, other[low])
        mark = next((mark for mark in _GLUED if low.startswith(mark)), "")
        return _as_spelled(word[: len(mark)], other[mark]) + word[len(mark) :] if mark else word

    plain = unicodedata.normalize("NFKC", name)
    space, colon, last = plain.rpartition(":")
    swapped = space + colon + _WORD.sub(exchanged, last)
    return name if swapped == plain else swapped


def _as_spelled(word: str, other: str) -> str:
    return other.upper() if word.isupper() else other.title() if word[:1].isupper() else other


def _unglued(word: str) -> list[str]:
    """A word without the side that is stuck to its front: "leftarm", "左腕"."""
    for mark in _GLUED:
        if word.startswith(mark) and len(word) > len(mark):
            return [mark, word[len(mark) :]]
    return [word]
