# SPDX-License-Identifier: GPL-3.0-or-later
"""Captions as Guo et al.'s text encoder reads them: a GloVe vector and a word category for each word.

`our_vab_data.npy` (N, 300) holds the vectors, `our_vab_words.pkl` the words and `our_vab_idx.pkl` their rows. Where the
categories and their word lists come from: docs/evaluation.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from ...arrays import read_npy
from ...errors import BackendError
from .plain_pickle import read_plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

VECTORS: Final = "our_vab_data.npy"
WORDS: Final = "our_vab_words.pkl"
ROWS: Final = "our_vab_idx.pkl"

MOST_WORDS: Final = 20
"""Of a caption; the marks of its start and end come on top."""
START: Final = "sos/OTHER"
END: Final = "eos/OTHER"
UNKNOWN: Final = "unk"
OTHER: Final = "OTHER"

# fmt: off
_LISTED: Final = {
    "Loc_VIP": (
        "left", "right", "clockwise", "counterclockwise", "anticlockwise", "forward", "back", "backward", "up", "down",
        "straight", "curve",
    ),
    "Body_VIP": (
        "arm", "chin", "foot", "feet", "face", "hand", "mouth", "leg", "waist", "eye", "knee", "shoulder", "thigh",
    ),
    "Obj_VIP": (
        "stair", "dumbbell", "chair", "window", "floor", "car", "ball", "handrail", "baseball", "basketball",
    ),
    "Act_VIP": (
        "walk", "run", "swing", "pick", "bring", "kick", "put", "squat", "throw", "hop", "dance", "jump", "turn",
        "stumble", "stop", "sit", "lift", "lower", "raise", "wash", "stand", "kneel", "stroll", "rub", "bend",
        "balance", "flap", "jog", "shuffle", "lean", "rotate", "spin", "spread", "climb",
    ),
    "Desc_VIP": (
        "slowly", "carefully", "fast", "careful", "slow", "quickly", "happy", "angry", "sad", "happily", "angrily",
        "sadly",
    ),
}
_TAGS: Final = ("VERB", "NOUN", "DET", "ADP", "NUM", "AUX", "PRON", "ADJ", "ADV")
# fmt: on
CATEGORIES: Final = (*_TAGS, *_LISTED, OTHER)
"""In the order of the one-hot numbers that a category becomes."""
_CATEGORY_OF_WORD: Final = {word: category for category, words in _LISTED.items() for word in words}


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """`vectors` (N, D) float32; `rows` has the row of each word, that of UNKNOWN among them."""

    vectors: NDArray[np.float32]
    rows: dict[str, int]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises BackendError where a file of the three is missing, damaged, or more than words and numbers."""
        try:
            vectors = read_npy(folder / VECTORS)
            words, rows = read_plain(folder / WORDS), read_plain(folder / ROWS)
            _check(vectors, words, rows)
        except OSError as error:
            raise _bad(folder, f"{error.filename} cannot be read") from error
        except ValueError as error:
            raise _bad(folder, str(error)) from error
        return cls(np.array(vectors, np.float32), {word: rows[word] for word in words})

    def encode(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Words with their tags ("walk/VERB") -> vectors (n, D) and one-hot categories (n, 15), n at most 22.

        What is not in the vocabulary has the vector and the category of an unknown word.
        """
        tagged = [each.rpartition("/") for each in (START, *words[:MOST_WORDS], END)]
        known = [(word if word in self.rows else UNKNOWN, tag) for word, _, tag in tagged]
        categories = [_category(word, tag) for word, tag in known]
        return self.vectors[[self.rows[word] for word, _ in known]], np.eye(len(CATEGORIES), dtype=np.float32)[
            categories
        ]


def _category(word: str, tag: str) -> int:
    if word == UNKNOWN:
        return CATEGORIES.index(OTHER)
    return CATEGORIES.index(_CATEGORY_OF_WORD.get(word, tag if tag in _TAGS else OTHER))


def _check(vectors: NDArray[Any], words: object, rows: object) -> None:
    """Raises ValueError."""
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or 0 in vectors.shape:
        raise ValueError(f"{VECTORS} is no table of vectors")
    if not np.isfinite(vectors).all():
        raise ValueError(f"{VECTORS} holds a number that is not finite")
    if not isinstance(words, list) or not all(type(word) is str for word in words):
        raise ValueError(f"{WORDS} is no list of words")
    if not isinstance(rows, dict) or not all(type(word) is str and type(row) is int for word, row in rows.items()):
        raise ValueError(f"{ROWS} does not say which word has which row")
    if missing := [word for word in words if not 0 <= rows.get(word, -1) < len(vectors)]:
        raise ValueError(f"the word {missing[0][:40]!r} has no row in {VECTORS}")
    if UNKNOWN not in words:
        raise ValueError(f"{WORDS} lacks the word {UNKNOWN!r}, which stands for all that are not in it")


def _bad(folder: Path, problem: str) -> BackendError:
    return BackendError(
        "bad_vocabulary",
        f"The vocabulary in {folder} cannot be used: {problem}.",
        f"Choose with --glove the folder of {VECTORS}, {WORDS} and {ROWS} of the release.",
    )
