# SPDX-License-Identifier: GPL-3.0-or-later
"""A text-motion evaluator of our own: texts and motions in one space, where a text lies near its motion.

In the manner of Guo et al. (CVPR 2022): two convolutions of stride 2, then a bidirectional GRU, for motions; a
bidirectional GRU for texts. Trained by contrast within a batch. It judges models, so it must not be trained on what
they are tested with: the held-out clips of `Batches` stay out.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from ...errors import BackendError
from ...model_folder import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ...text.encoder import TextEncoder
    from ..dataset import Batches
    from .cases import Caption

FILE: Final = "evaluator.safetensors"
STRIDE: Final = 4
LOGIT_SCALE: Final = 10.0
"""Cosines are multiplied by it before the softmax."""


@dataclass(frozen=True, slots=True)
class EvaluatorConfig:
    features: int
    token_width: int
    encoder: str
    width: int = 256
    embedding: int = 256


class TextMotionEvaluator(nn.Module):
    """Embeds texts and motions; all embeddings (B, E) have unit length."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: EvaluatorConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.movement = nn.Sequential(
            nn.Conv1d(config.features, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv1d(width, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
        )
        self.motion_rows = nn.GRU(width, width, batch_first=True, bidirectional=True)
        self.motion_output = _head(2 * width, config.embedding)
        self.word = nn.Linear(config.token_width, width)
        self.text_rows = nn.GRU(width, width, batch_first=True, bidirectional=True)
        self.text_output = _head(2 * width, config.embedding)
        self.register_buffer("mean", torch.zeros(config.features))
        self.register_buffer("deviation", torch.ones(config.features))

    def motions(self, normalised: Tensor, lengths: Tensor) -> Tensor:
        """Motions (B, T, F), normalised with our mean and deviation, of `lengths` (B,) frames, at least 4."""
        mask = torch.arange(normalised.shape[1], device=lengths.device)[None] < lengths[:, None]
        # Every motion has as much behind it as the last token sees: else an embedding would depend on the batch.
        padded = functional.pad(normalised * mask[..., None], (0, 0, 0, STRIDE))
        rows = self.movement(padded.transpose(1, 2)).transpose(1, 2)
        return self.motion_output(_last(self.motion_rows, rows, lengths // STRIDE))

    def texts(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Token features (B, N, token_width) and their mask (B, N), true for real ones, which come first."""
        return self.text_output(_last(self.text_rows, self.word(tokens), mask.sum(dim=1)))

    @torch.no_grad()
    def embed(self, rows: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
        """Embeddings (N, E) of motions (T, F) as features, not normalised."""
        found = []
        for start in range(0, len(rows), 32):
            part = [torch.from_numpy(np.asarray(each, np.float32)) for each in rows[start : start + 32]]
            lengths = torch.tensor([len(each) for each in part])
            padded = pad_sequence([(each - self.mean) / self.deviation for each in part], batch_first=True)
            found.append(self.motions(padded, lengths))
        return torch.cat(found).double().numpy()

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str], encoder: TextEncoder) -> NDArray[np.float64]:
        """Embeddings (N, E) of texts."""
        found = []
        for start in range(0, len(texts), 32):
            features = encoder.encode(list(texts[start : start + 32]))
            found.append(self.texts(features.tokens, features.mask))
        return torch.cat(found).double().numpy()


@dataclass(frozen=True, slots=True, eq=False)
class OwnJudge:
    """The evaluator with the text encoder that it was trained on."""

    evaluator: TextMotionEvaluator
    encoder: TextEncoder

    @property
    def features(self) -> int:
        return self.evaluator.config.features

    def embed_texts(self, captions: Sequence[Caption]) -> NDArray[np.float64]:
        return self.evaluator.embed_texts([each.text for each in captions], self.encoder)

    def embed(self, motions: Sequence[NDArray[np.floating]], lengths: Sequence[int]) -> NDArray[np.float64]:
        return self.evaluator.embed([rows[:length] for rows, length in zip(motions, lengths, strict=True)])


class _Unit(nn.Module):
    def forward(self, rows: Tensor) -> Tensor:
        return functional.normalize(rows, dim=-1)


def _head(width: int, embedding: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, width), nn.LayerNorm(width), nn.LeakyReLU(0.2), nn.Linear(width, embedding), _Unit()
    )


def _last(recurrent: nn.GRU, rows: Tensor, lengths: Tensor) -> Tensor:
    """The last states of both directions, beside each other; what is behind a row's length has no influence."""
    packed = pack_padded_sequence(rows, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
    return recurrent(packed)[1].transpose(0, 1).flatten(1)


def contrast(texts: Tensor, motions: Tensor) -> Tensor:
    """Symmetric cross-entropy: each text must choose its motion among the batch, each motion its text."""
    logits = LOGIT_SCALE * texts @ motions.T
    own = torch.arange(len(texts), device=texts.device)
    return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2


def train_evaluator(
    batches: Batches,
    config: EvaluatorConfig,
    iterations: int,
    batch: int,
    seed: int = 0,
    told: Callable[[int, int], object] = lambda done, total: None,
) -> TextMotionEvaluator:
    """Train on the training windows of `batches`."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = TextMotionEvaluator(config)
    model.mean.copy_(torch.from_numpy(batches.mean))
    model.deviation.copy_(torch.from_numpy(batches.deviation))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    for number in range(iterations):
        windows = rng.choice(batches.training, size=batch, p=batches.weights)
        motions, lengths, tokens, token_mask = batches.captioned(windows, rng)
        loss = contrast(model.texts(tokens, token_mask), model.motions(motions, lengths))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        told(number + 1, iterations)
    return model.eval()


def save_evaluator(folder: Path, model: TextMotionEvaluator) -> None:
    """Raises BackendError where the folder cannot be written."""
    with writing(folder, FILE) as (draft,):
        folder.mkdir(parents=True, exist_ok=True)
        save_file(
            {name: value.contiguous() for name, value in model.state_dict().items()},
            draft,
            {"config": json.dumps(asdict(model.config))},
        )


def load_evaluator(folder: Path) -> TextMotionEvaluator:
    """Raises BackendError where there is no evaluator of ours, or a damaged one."""
    path = folder / FILE
    try:
        with safe_open(path, "pt") as file:
            config = EvaluatorConfig(**json.loads(file.metadata()["config"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  the file is no dictionary
        largest = max(max(each.shape, default=0) for each in tensors.values())
        if max(config.features, config.token_width, config.width, config.embedding) > largest:
            raise ValueError("it describes a larger network than it holds")
        if not all(torch.isfinite(each).all() for each in tensors.values()):
            raise ValueError("its weights are not all finite")
        model = TextMotionEvaluator(config)
        model.load_state_dict(tensors)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise BackendError(
            "bad_evaluator",
            f"There is no evaluator in {folder}, or it is damaged.",
            "Train one with: python -m backend train evaluator CONFIG.toml",
        ) from error
    return model.eval()
