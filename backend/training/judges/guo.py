# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluators of Guo et al. (CVPR 2022), by which the papers' numbers are measured, from their file `finest.tar`.

Two convolutions of stride 2 turn four frames into one token; bidirectional GRUs read tokens and words. Every size is
read off the tensors. Where each fact about the network comes from: docs/evaluation.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from ...errors import BackendError
from ...model.checkpoint_file import checked_tensors, load
from .words import CATEGORIES, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .cases import Caption, Trials

STRIDE: Final = 4
"""Frames of a token."""
REACH: Final = 3
"""Frames behind the end of a motion that its last token still sees."""
CONTACTS: Final = 4
"""Channels at the end of a feature vector that the evaluators do not look at."""
SLOPE: Final = 0.2
"""Of the rectifiers for numbers below zero."""
MOST_NUMBERS: Final = 1 << 27
"""The published evaluators have some twenty million; a small file can claim any size."""
BATCH: Final = 32

Head = tuple[nn.Linear, nn.LayerNorm, nn.LeakyReLU, nn.Linear]

PARTS: Final = ("movement_encoder", "text_encoder", "motion_encoder")


class Recurrent(nn.Module):
    """Linear layers, a bidirectional GRU from a learned state, and a head on its two last states."""

    def __init__(self, before: list[nn.Linear], gru: nn.GRU, initial: Tensor, head: Head) -> None:
        super().__init__()
        self.before, self.gru, self.head = nn.Sequential(*before), gru, nn.Sequential(*head)
        self.reads, self.writes = before[0].in_features, head[-1].out_features
        self.initial = nn.Parameter(initial, requires_grad=False)
        """(2, 1, H): forward, backward."""

    def forward(self, rows: Tensor, lengths: Tensor) -> Tensor:
        """(B, N, D) of which the first `lengths` (B,) count -> (B, E). What is behind them has no influence."""
        packed = pack_padded_sequence(self.before(rows), lengths.cpu(), batch_first=True, enforce_sorted=False)
        last = self.gru(packed, self.initial.expand(-1, len(rows), -1).contiguous())[1]
        return self.head(torch.cat([last[0], last[1]], dim=-1))


class GuoEvaluator(nn.Module):
    """Embeds tagged words and normalised motions; all embeddings (B, E)."""

    def __init__(
        self,
        first: nn.Conv1d,
        second: nn.Conv1d,
        movement_output: nn.Linear,
        motion: Recurrent,
        tags: nn.Linear,
        text: Recurrent,
    ) -> None:
        super().__init__()
        self.features = first.in_channels + CONTACTS
        """How long the feature vectors of motions are."""
        self.movement = nn.Sequential(first, nn.LeakyReLU(SLOPE), second, nn.LeakyReLU(SLOPE))
        self.movement_output, self.motion = movement_output, motion
        self.tags, self.text = tags, text

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises BackendError where the file is missing, damaged, or holds other networks. No code in it is run."""
        try:
            content = load(path)
        except ValueError as error:
            raise _bad(path, str(error)) from error
        try:
            movement, text, motion = (_tensors(content, part) for part in PARTS)
            [tags, *words], gru, initial, head = _recurrent_parts(text, 2)
            found = cls(
                *_movement(movement),
                Recurrent(*_recurrent_parts(motion, 1)),
                tags,
                Recurrent(words, gru, initial, head),
            )
            found.check()
        except (ValueError, RuntimeError, AttributeError) as error:
            raise _bad(path, f"is no text-motion evaluator ({error})") from error
        return found.eval().requires_grad_(False)

    def check(self) -> None:
        """Raises ValueError where the parts do not fit together."""
        if self.tags.in_features != len(CATEGORIES):
            raise ValueError(f"it knows {self.tags.in_features} word categories, not {len(CATEGORIES)}")
        if self.text.reads != self.tags.out_features:
            raise ValueError("its words and word categories differ in width")
        if self.motion.reads != self.movement_output.out_features:
            raise ValueError("its motion encoder does not read what its movement encoder writes")
        if self.motion.writes != self.text.writes:
            raise ValueError("its embeddings of texts and motions differ in size")

    @torch.no_grad()
    def embed(self, motions: Sequence[NDArray[np.floating]], lengths: Sequence[int]) -> NDArray[np.float64]:
        """(N, E) of normalised motions (T, F), all of one T, and their true lengths."""
        found = []
        for start in range(0, len(motions), BATCH):
            part = np.stack(motions[start : start + BATCH])[..., :-CONTACTS].astype(np.float32)
            tokens = self.movement_output(self.movement(torch.from_numpy(part).transpose(1, 2)).transpose(1, 2))
            whole = torch.tensor(lengths[start : start + BATCH]) // STRIDE
            found.append(self.motion(tokens, whole))
        return torch.cat(found).double().numpy()

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[Sequence[str]], vocabulary: Vocabulary) -> NDArray[np.float64]:
        """(N, E) of texts, each a row of tagged words. Raises BackendError where the vocabulary is of another width."""
        if vocabulary.vectors.shape[1] != self.tags.out_features:
            raise BackendError(
                "bad_vocabulary",
                f"The vocabulary has vectors of {vocabulary.vectors.shape[1]} numbers, the evaluators read "
                f"{self.tags.out_features}.",
                "Choose with --glove the vocabulary that came with the evaluators.",
            )
        found = []
        for start in range(0, len(texts), BATCH):
            encoded = [vocabulary.encode(words) for words in texts[start : start + BATCH]]
            vectors, categories = (
                pad_sequence([torch.from_numpy(each[part]) for each in encoded], batch_first=True) for part in (0, 1)
            )
            lengths = torch.tensor([len(each) for each, _ in encoded])
            found.append(self.text(vectors + self.tags(categories), lengths))
        return torch.cat(found).double().numpy()


@dataclass(frozen=True, slots=True, eq=False)
class GuoJudge:
    """The evaluators on one data set: `trials` has the statistics that motions are normalised with, `frames` the length
    to which all are padded, as the data set is."""

    evaluator: GuoEvaluator
    vocabulary: Vocabulary
    trials: Trials
    frames: int

    @property
    def features(self) -> int:
        return self.evaluator.features

    def embed_texts(self, captions: Sequence[Caption]) -> NDArray[np.float64]:
        return self.evaluator.embed_texts([each.words for each in captions], self.vocabulary)

    def embed(self, motions: Sequence[NDArray[np.floating]], lengths: Sequence[int]) -> NDArray[np.float64]:
        mean, deviation = self.trials.mean, self.trials.deviation
        padding = -mean / deviation if self.trials.family.padded_raw else np.zeros_like(mean)
        padded = []
        for rows in motions:
            missing = np.tile(padding, (self.frames - len(rows), 1))
            padded.append(np.concatenate([(rows - mean) / deviation, missing]))
        return self.evaluator.embed(padded, lengths)


def _tensors(content: object, part: str) -> Mapping[str, Tensor]:
    """The weights of one network in the order in which it was built. Raises ValueError."""
    if not isinstance(content, dict) or part not in content:
        raise ValueError(f"it lacks {part}")
    try:
        tensors = checked_tensors(content[part], MOST_NUMBERS)
    except ValueError as error:
        raise ValueError(f"{part} {error}") from error
    return {name: tensor.float() for name, tensor in tensors.items()}


def _modules(tensors: Mapping[str, Tensor]) -> list[nn.Module | Tensor]:
    """What the tensors belong to, in their order; a tensor of its own stays one. Raises ValueError."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        prefix, _, own = name.rpartition(".")
        groups.setdefault(prefix, {})[own] = tensor
    found: list[nn.Module | Tensor] = []
    for prefix, group in groups.items():
        if prefix == "":
            found += group.values()
            continue
        module = _module(prefix, group)
        module.load_state_dict(group)
        found.append(module)
    return found


def _module(prefix: str, group: Mapping[str, Tensor]) -> nn.Module:
    if {"weight_ih_l0", "weight_hh_l0"} <= group.keys():
        (gates, width), own = group["weight_ih_l0"].shape, group["weight_hh_l0"].shape
        if gates == 0 or own != (gates, gates // 3):
            raise ValueError(f"{prefix} is no GRU")
        return nn.GRU(width, gates // 3, batch_first=True, bidirectional=True)
    weight = group.get("weight")
    if weight is not None and weight.numel():
        if weight.ndim == 1:
            return nn.LayerNorm(len(weight))
        if weight.ndim == 2:
            return nn.Linear(weight.shape[1], weight.shape[0])
        if weight.ndim == 3:
            # Half of the frames are left only where both ends are padded by one.
            return nn.Conv1d(weight.shape[1], weight.shape[0], weight.shape[2], stride=2, padding=1)
    raise ValueError(f"{prefix} is no known kind of layer")


def _movement(tensors: Mapping[str, Tensor]) -> tuple[nn.Conv1d, nn.Conv1d, nn.Linear]:
    match _modules(tensors):
        case [nn.Conv1d() as first, nn.Conv1d() as second, nn.Linear() as output] if (
            first.out_channels == second.in_channels
            and second.out_channels == output.in_features
            and first.kernel_size == second.kernel_size == (4,)
        ):
            return first, second, output
    raise ValueError("its movement encoder is not two convolutions of four frames and a linear layer")


def _recurrent_parts(tensors: Mapping[str, Tensor], linears: int) -> tuple[list[nn.Linear], nn.GRU, Tensor, Head]:
    """Linear layers, GRU, its first state, head."""
    modules = _modules(tensors)
    states = [each for each in modules if isinstance(each, Tensor)]
    layers = [each for each in modules if isinstance(each, nn.Module)]
    before, rest = layers[:linears], layers[linears:]
    match states, before, rest:
        case (
            [Tensor() as initial],
            [*_, nn.Linear() as last],
            [nn.GRU() as gru, nn.Linear() as first, nn.LayerNorm() as norm, nn.Linear() as output],
        ) if (
            all(isinstance(each, nn.Linear) for each in before)
            and last.out_features == gru.input_size
            and initial.shape == (2, 1, gru.hidden_size)
            and first.in_features == 2 * gru.hidden_size
            and first.out_features == norm.normalized_shape[0] == output.in_features
        ):
            head = (first, norm, nn.LeakyReLU(SLOPE), output)
            return [each for each in before if isinstance(each, nn.Linear)], gru, initial, head
    raise ValueError("an encoder is not linear layers, a GRU with its first state, and a head of two linear layers")


def _bad(path: Path, problem: str) -> BackendError:
    return BackendError(
        "bad_evaluator",
        f"{path} {problem}.",
        "Choose finest.tar of Guo et al.'s evaluators for this data set, or train an own one with: "
        "python -m backend train evaluator CONFIG.toml",
    )
