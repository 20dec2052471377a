# SPDX-License-Identifier: GPL-3.0-or-later
"""CLIP ViT-B/32's text tower (Radford et al. 2021): twelve causal pre-norm layers of width 512, run with plain torch.

Official models were trained on it. Its weights come out of their checkpoints, see backend.model.importer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.nn import functional

from ..errors import BackendError
from .bpe import CONTEXT, TOKENS, Tokenizer
from .features import TextFeatures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

NAME: Final = "clip-vit-b-32"
WEIGHTS: Final = "text_encoder.safetensors"
"""Name of the tower's file in a model's folder."""
WIDTH: Final = 512
HEADS: Final = 8
LAYERS: Final = 12

_LAYER_SHAPES: Final = {
    "attn.in_proj_weight": (3 * WIDTH, WIDTH),
    "attn.in_proj_bias": (3 * WIDTH,),
    "attn.out_proj.weight": (WIDTH, WIDTH),
    "attn.out_proj.bias": (WIDTH,),
    "ln_1.weight": (WIDTH,),
    "ln_1.bias": (WIDTH,),
    "mlp.c_fc.weight": (4 * WIDTH, WIDTH),
    "mlp.c_fc.bias": (4 * WIDTH,),
    "mlp.c_proj.weight": (WIDTH, 4 * WIDTH),
    "mlp.c_proj.bias": (WIDTH,),
    "ln_2.weight": (WIDTH,),
    "ln_2.bias": (WIDTH,),
}
_BLOCK: Final = "transformer.resblocks.{}."
SHAPES: Final = {
    "token_embedding.weight": (TOKENS, WIDTH),
    "positional_embedding": (CONTEXT, WIDTH),
    "ln_final.weight": (WIDTH,),
    "ln_final.bias": (WIDTH,),
    "text_projection": (WIDTH, WIDTH),
} | {_BLOCK.format(layer) + name: shape for layer in range(LAYERS) for name, shape in _LAYER_SHAPES.items()}
"""The tower's tensors by their names in CLIP."""


class Clip:
    """Token features: all 77 rows after the last norm, padding included, as official models want them (512).

    Sentence: the end-of-text row projected into CLIP's space of texts and images (512). Texts are cut at 77 tokens.
    """

    name = NAME
    token_dim = WIDTH
    sentence_dim = WIDTH

    def __init__(self, weights: dict[str, Tensor], tokenizer: Tokenizer) -> None:
        """`weights` as in SHAPES, float32; both are kept."""
        self._weights = weights
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the tower from a model's folder, and the vocabulary from there or where `Tokenizer.load` finds it.

        Raises BackendError where one of them is missing or damaged.
        """
        tokenizer = Tokenizer.load(folder)
        path = folder / WEIGHTS
        try:
            weights = {name: tensor.float() for name, tensor in load_file(path).items()}
        except (OSError, SafetensorError) as error:
            raise _bad(f"{path} cannot be read") from error
        for name, shape in SHAPES.items():
            if name not in weights or weights[name].shape != shape:
                raise _bad(f"{path} lacks {name}, or has it in another size")
            if not weights[name].isfinite().all():
                raise _bad(f"{path} has weights that are no numbers, in {name}")
        return cls(weights, tokenizer)

    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """One pass a text: a batch would change the last bits of every feature."""
        encoded = [self._encode(text) for text in texts]
        return TextFeatures.batch([tokens for tokens, _ in encoded], [sentence for _, sentence in encoded])

    @torch.no_grad()
    def _encode(self, text: str) -> tuple[Tensor, Tensor]:
        ids = self._tokenizer.encode(text)
        rows = self._weights["token_embedding.weight"][ids] + self._weights["positional_embedding"]
        for layer in range(LAYERS):
            rows = self._layer(rows, _BLOCK.format(layer))
        rows = self._norm(rows, "ln_final")
        sentence = rows[ids.index(self._tokenizer.end)] @ self._weights["text_projection"]
        return rows, functional.normalize(sentence, dim=0)

    def _layer(self, rows: Tensor, prefix: str) -> Tensor:
        """One transformer layer on (77, 512) rows: attention to what came before, then feed-forward, each added."""
        heads = self._linear(self._norm(rows, prefix + "ln_1"), prefix + "attn.in_proj_").unflatten(1, (3, HEADS, -1))
        query, key, value = heads.permute(1, 2, 0, 3)
        attended = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        rows = rows + self._linear(attended.transpose(0, 1).flatten(1), prefix + "attn.out_proj.")
        hidden = self._linear(self._norm(rows, prefix + "ln_2"), prefix + "mlp.c_fc.")
        # CLIP's own approximation of GELU.
        return rows + self._linear(hidden * torch.sigmoid(1.702 * hidden), prefix + "mlp.c_proj.")

    def _linear(self, rows: Tensor, name: str) -> Tensor:
        return functional.linear(rows, self._weights[name + "weight"], self._weights[name + "bias"])

    def _norm(self, rows: Tensor, name: str) -> Tensor:
        return functional.layer_norm(rows, (WIDTH,), self._weights[name + ".weight"], self._weights[name + ".bias"])


def _bad(problem: str) -> BackendError:
    return BackendError(
        "encoder_damaged", f"The text encoder CLIP cannot be used: {problem}.", "Import the model again."
    )
