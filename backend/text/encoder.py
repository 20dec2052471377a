# SPDX-License-Identifier: GPL-3.0-or-later
"""What every text encoder offers, and how one is found by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..errors import BackendError
from . import clip, minilm

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .features import TextFeatures


class TextEncoder(Protocol):
    """A frozen language model. The features of a text never depend on the texts beside it."""

    @property
    def name(self) -> str:
        """Names the weights too: features of two encoders with one name can be compared."""
        ...

    @property
    def token_dim(self) -> int: ...

    @property
    def sentence_dim(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """Features of at least one text."""
        ...


def load_encoder(name: str, model: Path | None = None) -> TextEncoder:
    """The encoder that a model card or a library names. `model`: the folder of the model, which holds CLIP's weights.

    Raises BackendError where the name is unknown or the weights are missing or not the right ones.
    """
    if name == minilm.NAME:
        return minilm.MiniLM.load()
    if name != clip.NAME:
        raise BackendError(
            "encoder_unknown",
            f'The text encoder "{name}" is not known.',
            f'Use a model and libraries made with "{minilm.NAME}".',
        )
    if model is None:
        raise BackendError(
            "encoder_missing",
            "The text encoder CLIP lies in the folder of a model, and none was named.",
            "Name the model's folder with --model.",
        )
    return clip.Clip.load(model)
