# SPDX-License-Identifier: GPL-3.0-or-later
"""Remembering texts: an animator tries many seeds on one prompt."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from .features import TextFeatures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from .encoder import TextEncoder

CACHED_TEXTS: Final = 256
"""About 60 MB at worst (77 tokens of 768 floats each), usually 10 MB."""


class CachedEncoder:
    """A text encoder that keeps the features of the last `CACHED_TEXTS` texts it was asked for."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._known: OrderedDict[str, tuple[Tensor, Tensor]] = OrderedDict()

    @property
    def name(self) -> str:
        return self._encoder.name

    @property
    def token_dim(self) -> int:
        return self._encoder.token_dim

    @property
    def sentence_dim(self) -> int:
        return self._encoder.sentence_dim

    def encode(self, texts: Sequence[str]) -> TextFeatures:
        found = [self._one(text) for text in texts]
        return TextFeatures.batch([tokens for tokens, _ in found], [sentence for _, sentence in found])

    def _one(self, text: str) -> tuple[Tensor, Tensor]:
        if text not in self._known:
            features = self._encoder.encode([text])
            self._known[text] = (features.tokens[0], features.sentence[0])
            if len(self._known) > CACHED_TEXTS:
                self._known.popitem(last=False)
        self._known.move_to_end(text)
        return self._known[text]
