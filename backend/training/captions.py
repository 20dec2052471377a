# SPDX-License-Identifier: GPL-3.0-or-later
"""Features of every distinct caption of a training set: encoded once, kept in a file beside the set."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ..text.encoder import TextEncoder

CHUNK: Final = 64
"""Texts that are encoded at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Captions:
    """`tokens` (sum of counts, E) float16 of all captions one after another, `counts` (N,) of each, `sentences` (N, S).

    `index` says which row a text has.
    """

    index: dict[str, int]
    tokens: Tensor
    counts: Tensor
    sentences: Tensor

    @classmethod
    def of(
        cls, texts: Sequence[str], encoder: Callable[[], TextEncoder], file: Path | None = None, workers: int = 0
    ) -> Self:
        """From `file` where it holds just these texts, else encoded by so many processes and kept there.

        `encoder` is called where it is needed only.
        """
        distinct = list(dict.fromkeys(texts))
        digest = hashlib.sha256(json.dumps(distinct).encode()).hexdigest()
        features = None if file is None else _stored(file, digest)
        if features is None:
            features = _encoded(distinct, encoder(), workers)
            if file is not None:
                temporary = file.with_suffix(".part")
                save_file(features, temporary, {"texts": digest})
                temporary.replace(file)
        return cls({text: row for row, text in enumerate(distinct)}, **features)

    def to(self, device: torch.device) -> Captions:
        """With the tokens there; what is small stays."""
        return replace(self, tokens=self.tokens.to(device))

    def padded(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Captions (B,) -> their tokens (B, N, E) in float32, and a mask (B, N), true for what is a token.

        `rows` lie on the CPU, as `counts` do: nothing has to be asked of the device.
        """
        counts, ends, device = self.counts[rows], self.counts.cumsum(0)[rows], self.tokens.device
        return gathered(self.tokens, (ends - counts).to(device), counts.to(device), int(counts.max()))


def gathered(table: Tensor, first: Tensor, counts: Tensor, longest: int) -> tuple[Tensor, Tensor]:
    """Runs of rows of a table (R, F) that begin at `first` (B,) -> (B, longest, F) float32, zero beyond a run's
    `counts` (B,), and a mask (B, longest), true within it."""
    places = torch.arange(longest, device=table.device)[None]
    mask = places < counts[:, None]
    rows = table[(first[:, None] + places).clamp_(max=len(table) - 1)].float()
    return rows * mask[..., None], mask


class _Chunks(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Encodes so many texts at a time."""

    def __init__(self, texts: list[str], encoder: TextEncoder) -> None:
        self._texts, self._encoder = texts, encoder

    def __len__(self) -> int:
        return (len(self._texts) + CHUNK - 1) // CHUNK

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        features = self._encoder.encode(self._texts[number * CHUNK : (number + 1) * CHUNK])
        return features.tokens[features.mask].to(torch.float16), features.mask.sum(dim=1), features.sentence


def _encoded(texts: list[str], encoder: TextEncoder, workers: int) -> dict[str, Tensor]:
    parts = list(DataLoader(_Chunks(texts, encoder), batch_size=None, num_workers=workers))
    tokens, counts, sentences = (torch.cat(kind) for kind in zip(*parts, strict=True))
    return {"tokens": tokens, "counts": counts, "sentences": sentences}


def _stored(file: Path, digest: str) -> dict[str, Tensor] | None:
    """What an earlier run left; None where it is of other texts or damaged: it is made again then."""
    try:
        with safe_open(file, "pt") as stored:
            if (stored.metadata() or {}).get("texts") != digest:
                return None
            return {name: stored.get_tensor(name) for name in ("tokens", "counts", "sentences")}
    except (OSError, SafetensorError):
        return None
