# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches for training: windows drawn in balance, cropped, captioned, with retrieved references."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from ..errors import BackendError
from ..library.fit import fitted
from ..library.opposites import contradictions, sides
from ..library.retrieval import length_factors
from .captions import Captions, gathered
from .data.prepare import LAYOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..model.config import ModelConfig
    from ..motion.features import FeatureLayout
    from .data.prepare import TrainingSet

ROOT_GAIN: Final = 5.0
"""Root and contact channels are blown up by this and stand out of the noise earlier (HumanML3D's feat_bias)."""

POOL: Final = 6
"""Batches are cut from a pool of this many, sorted by length: little padding, still random."""

REFERENCE_CUT: Final = 1.2
"""References are cut to this many times the wished length: the rest says little and costs as much."""

SAME_SOURCE_OUT: Final = 0.4
OVERLAP_OUT: Final = 0.2
"""Shares of the draws without references of the same source clips, or only without those that overlap (`_retrieve`)."""

OPPOSITE_FACTOR: Final = 0.7
"""Of references whose caption says the opposite, as in sampling: sentence vectors confuse left and right."""

HELD_OUT: Final = 30
"""One source clip in this many is kept for validation."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What a batch is made of, as places in the tables of `Batches`: cheap to make and to send.

    `first` and `lengths` (B,): the run of rows of each motion; the same of its references (B, R); `texts` (B,) and
    `reference_texts` (B, R): captions. `aligned`: as in `Batch`.
    """

    first: Tensor
    lengths: Tensor
    texts: Tensor
    reference_first: Tensor
    reference_lengths: Tensor
    reference_texts: Tensor
    aligned: Tensor | None

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Draw:
        """The draw with something done to each of its tensors."""
        return Draw(*_mapped(self, change))

    def pin_memory(self) -> Draw:
        """Where a device can fetch it from while the processor goes on."""
        return self.mapped(Tensor.pin_memory)


@dataclass(frozen=True, slots=True)
class Batch:
    """Normalised motions (B, T, F), true lengths (B,), text and reference inputs as `ReMoDiffuse` wants them."""

    motion: Tensor
    lengths: Tensor
    tokens: Tensor
    token_mask: Tensor
    references: Tensor
    reference_lengths: Tensor
    reference_tokens: Tensor
    reference_token_mask: Tensor
    aligned: Tensor | None
    """The best reference fitted to each motion's length (B, T, F); None unless the model looks at it."""

    @property
    def frame_mask(self) -> Tensor:
        return torch.arange(self.motion.shape[1], device=self.lengths.device)[None] < self.lengths[:, None]

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """The batch with something done to each of its tensors."""
        return Batch(*_mapped(self, change))


def _mapped(tensors: Draw | Batch, change: Callable[[Tensor], Tensor]) -> Iterator[Any]:
    for one in fields(tensors):
        value = getattr(tensors, one.name)
        yield None if value is None else change(value)


def normalisation(rows: np.ndarray, layout: FeatureLayout = LAYOUT) -> tuple[np.ndarray, np.ndarray]:
    """Mean per channel; deviation averaged per block of channels, smaller for root and contacts (ROOT_GAIN)."""
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    for block in (slice(0, 1), slice(1, 3), slice(3, 4), layout.positions, layout.velocities, layout.contacts):
        deviation[block] = deviation[block].mean()
    deviation[layout.root] /= ROOT_GAIN
    deviation[layout.contacts] /= ROOT_GAIN
    deviation[deviation < 1e-6] = 1.0  # a channel that never moves stays 0
    return mean.astype(np.float32), deviation.astype(np.float32)


def _side_factors(texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Which of the few patterns of `sides` each text has (N,), and what the score of one pattern's clip is multiplied
    by for a text of another (P, P)."""
    patterns, places = np.unique([sides(text) for text in texts], axis=0, return_inverse=True)
    opposite = contradictions(patterns[:, None], patterns)
    return places.reshape(-1), (OPPOSITE_FACTOR**opposite).astype(np.float32)


class Batches:
    """Draws windows in balance and gathers them into batches."""

    def __init__(
        self,
        data: TrainingSet,
        captions: Captions,
        model: ModelConfig,
        *,
        crop: float,
        noise: float,
        statistics: tuple[np.ndarray, np.ndarray] | None = None,
        device: torch.device | None = None,
    ) -> None:
        """`statistics`: mean and deviation (F,) to normalise with, those of the data where None. `device`: where the
        tables lie and the batches are made."""
        _check(data, model)
        self.layout, self.large = data.layout, data.large
        self.device = device or torch.device("cpu")
        statistics = statistics or data.statistics
        self.mean, self.deviation = normalisation(data.rows, data.layout) if statistics is None else statistics
        self.rows = torch.from_numpy((data.rows - self.mean) / self.deviation).to(self.device)
        self.lengths, self.starts = data.lengths, data.starts
        self.first = np.cumsum(data.lengths) - data.lengths
        self.captions = captions.to(self.device)
        self.texts = [[captions.index[text] for text in texts] for texts in data.captions]
        self.model, self.crop, self.noise = model, crop, noise
        if model.aligned_reference:
            self._poses = [
                self._decoded(data.rows[start : start + length])
                for start, length in zip(self.first, self.lengths, strict=True)
            ]

        names = sorted({name for source in data.sources for name in source.split("+")})
        number = {name: row for row, name in enumerate(names)}
        # A window made of one clip names it twice: two columns for all.
        self.sources = np.array(
            [[number[part] for part in (source + "+" + source).split("+")[:2]] for source in data.sources]
        )
        outside = data.held_out
        if outside is None:
            held_out = np.array([zlib.crc32(name.encode()) % HELD_OUT == 0 for name in names])
            outside = held_out[self.sources].any(axis=1)
        self.training = np.flatnonzero(~outside)
        self.validation = np.flatnonzero(outside & (self.sources[:, 0] == self.sources[:, 1]))

        # A class is drawn by the square root of its minutes: walks must not drown bows, nor bows repeat for ever.
        minutes: Counter[str] = Counter()
        for group, length in zip(data.groups, data.lengths, strict=True):
            minutes[group] += int(length)
        weights = np.array([data.lengths[i] / minutes[data.groups[i]] ** 0.5 for i in self.training])
        if data.large:
            weights = np.ones(len(self.training))
        self.weights = weights / weights.sum()
        self.sentences = captions.sentences.numpy()
        self.sides, self._side_factors = _side_factors(captions.index)
        frames = np.arange(1 + max(self.lengths)).clip(min=1)
        self._length_factors = length_factors(frames[:, None], frames).astype(np.float32)
        self.library = np.array([texts[0] for texts in self.texts])
        """The caption that stands for each window as a reference."""

    def drawn(self, number: int, size: int, seed: int) -> Draw:
        """Batch `number` of a training run, `size` windows: a matter of these three numbers alone."""
        pool, part = divmod(number, POOL)
        rng = np.random.default_rng([seed, pool])
        chosen = rng.choice(self.training, size=size * POOL, p=self.weights)
        chosen = chosen[np.argsort(self.lengths[chosen], kind="stable")].reshape(POOL, size)
        return self.draw(chosen[rng.permutation(POOL)[part]], np.random.default_rng([seed, pool, part]), self.crop)

    def draw(self, windows: np.ndarray, rng: np.random.Generator, crop: float = 1.0) -> Draw:
        """These windows (B,), cut to a random share of at least `crop`, each with one of its captions."""
        lengths = self.lengths[windows]
        kept = np.maximum(np.minimum(lengths, 20), (lengths * rng.uniform(crop, 1.0, len(windows))).astype(int))
        kept = np.minimum(kept, self.model.max_frames)
        texts = np.array([rng.choice(self.texts[window]) for window in windows])
        found = self._retrieve(windows, texts, kept, rng)
        aligned = None
        if self.model.aligned_reference:
            fitting = zip(found[:, 0], kept, strict=True)
            aligned = pad_sequence([self._fitted(int(best), int(frames)) for best, frames in fitting], batch_first=True)
        most = (kept * REFERENCE_CUT).astype(int).clip(max=self.model.max_frames)
        reference_lengths = np.minimum(self.lengths[found], most[:, None])
        return Draw(
            *map(
                torch.from_numpy,
                (
                    self.first[windows] + rng.integers(0, lengths - kept + 1),
                    kept,
                    texts,
                    self.first[found],
                    reference_lengths,
                    self.library[found],
                ),
            ),
            aligned=aligned,
        )

    def gathered(self, draw: Draw) -> Batch:
        """The batch of a draw, on the device of the tables."""
        # Read before the others move: asking a device for a number waits for all that it was told to do.
        longest, longest_reference = int(draw.lengths.max()), int(draw.reference_lengths.max())
        tokens, token_mask = self.captions.padded(draw.texts)
        reference_tokens, reference_token_mask = self.captions.padded(draw.reference_texts.flatten())
        draw = draw.mapped(lambda part: part.to(self.device, non_blocking=True))
        references, _ = gathered(
            self.rows, draw.reference_first.flatten(), draw.reference_lengths.flatten(), longest_reference
        )
        shape = draw.reference_texts.shape
        return Batch(
            motion=gathered(self.rows, draw.first, draw.lengths, longest)[0],
            lengths=draw.lengths,
            tokens=tokens,
            token_mask=token_mask,
            references=references.unflatten(0, shape),
            reference_lengths=draw.reference_lengths,
            reference_tokens=reference_tokens.unflatten(0, shape),
            reference_token_mask=reference_token_mask.unflatten(0, shape),
            aligned=draw.aligned,
        )

    def captioned(self, windows: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Motions (B, T, F) of these windows, their lengths (B,), tokens (B, N, E) and token mask (B, N) of one of
        their captions each."""
        first, lengths = (torch.from_numpy(table[windows]).to(self.device) for table in (self.first, self.lengths))
        texts = torch.tensor([int(rng.choice(self.texts[window])) for window in windows])
        motions, _ = gathered(self.rows, first, lengths, int(self.lengths[windows].max()))
        return motions, lengths, *self.captions.padded(texts)

    def assemble(self, windows: np.ndarray, rng: np.random.Generator) -> Batch:
        """A batch of these windows, uncut."""
        return self.gathered(self.draw(windows, rng))

    def _decoded(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions (T, 22, 3) and contacts (T, 4)."""
        positions, contacts = self.layout.decode(rows.astype(np.float64))
        return positions.astype(np.float32), contacts.astype(np.float32)

    def _fitted(self, window: int, frames: int) -> Tensor:
        """A window as sampling shows a reference: stretched or repeated to `frames` frames, normalised."""
        positions, contacts = fitted(*self._poses[window], frames)
        rows = self.layout.encode(positions.astype(np.float64), contacts.astype(np.float64))
        return torch.from_numpy(((rows - self.mean) / self.deviation).astype(np.float32))

    def _retrieve(
        self, windows: np.ndarray, texts: np.ndarray, lengths: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """References (B, R) by hybrid score with a little noise, best first, never the window itself.

        Four times in ten none of the same source clips: the network must learn to generalise. Twice none that overlaps
        the window. Else whatever fits best: of many kinds of motion there is one clip only, and without its variants
        the network would learn that references of that kind mislead. In a large set never any of the same source clip.
        """
        scores = self.sentences[texts] @ self.sentences[self.library].T
        scores *= self._length_factors[lengths][:, self.lengths]
        scores *= self._side_factors[self.sides[texts]][:, self.sides[self.library]]
        scores += self.noise * rng.standard_normal(scores.shape, np.float32)
        for row, (window, dice) in enumerate(zip(windows, rng.random(len(windows)), strict=True)):
            scores[row, self._kept_apart(int(window), dice)] = -np.inf
        best = np.argpartition(-scores, self.model.references, axis=1)[:, : self.model.references]
        return np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, 1), axis=1), 1)

    def _kept_apart(self, window: int, dice: float) -> np.ndarray:
        """Places of the windows that may be no reference of this one."""
        if dice > SAME_SOURCE_OUT + OVERLAP_OUT and not self.large:
            return np.array([window])
        same = np.asarray(np.isin(self.sources, self.sources[window]).any(axis=1))
        if dice > SAME_SOURCE_OUT and not self.large:
            apart = (self.starts >= self.starts[window] + self.lengths[window]) | (
                self.starts + self.lengths <= self.starts[window]
            )
            same &= ~apart
        same[window] = True
        return np.flatnonzero(same)


def _check(data: TrainingSet, model: ModelConfig) -> None:
    """Raises BackendError where the model cannot be trained on the set."""
    if data.layout.size != model.features:
        problem = f"The training set has {data.layout.size} features, the configured model {model.features}."
    elif model.aligned_reference and data.layout.rotations:
        problem = "References cannot be shown frame by frame (aligned_reference) where features hold rotations."
    elif model.references >= len(data):
        problem = f"The training set has {len(data)} motions, too few to find {model.references} references each."
    else:
        return
    raise BackendError("bad_config", problem, "Change [model] of the configuration, or choose another data set.")


class Draws(Dataset[Draw]):
    """The draws of a training run by number, for processes that make them ahead."""

    def __init__(self, batches: Batches, size: int, seed: int) -> None:
        self._batches, self._size, self._seed = batches, size, seed

    def __getitem__(self, number: int) -> Draw:
        return self._batches.drawn(number, self._size, self._seed)
