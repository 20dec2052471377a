# SPDX-License-Identifier: GPL-3.0-or-later
"""Bone names taken apart: which side, which words, which number."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
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


def _unglued(word: str) -> list[str]:
    """A word without the side that is stuck to its front: "leftarm", "左腕"."""
    for mark in ("left", "right", "左", "右"):
        if word.startswith(mark) and len(word) > len(mark):
            return [mark, word[len(mark) :]]
    return [word]
