# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches for training: windows drawn in balance, cropped, captioned, with retrieved references."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ..library.fit import fitted
from ..library.opposites import contradictions, sides
from ..library.retrieval import length_factors
from .data.prepare import LAYOUT, TrainingSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..model.config import ModelConfig
    from ..text.encoder import TextEncoder

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
        aligned = None if self.aligned is None else change(self.aligned)
        others = {each.name: change(getattr(self, each.name)) for each in fields(self) if each.name != "aligned"}
        return Batch(**others, aligned=aligned)


def normalisation(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean per channel; deviation averaged per block of channels, smaller for root and contacts (ROOT_GAIN)."""
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    for block in (slice(0, 1), slice(1, 3), slice(3, 4), LAYOUT.positions, LAYOUT.velocities, LAYOUT.contacts):
        deviation[block] = deviation[block].mean()
    deviation[LAYOUT.root] /= ROOT_GAIN
    deviation[LAYOUT.contacts] /= ROOT_GAIN
    deviation[deviation < 1e-6] = 1.0  # a channel that never moves stays 0
    return mean.astype(np.float32), deviation.astype(np.float32)


class Captions:
    """Features of every distinct caption, encoded once."""

    def __init__(self, texts: Sequence[str], encoder: TextEncoder) -> None:
        self.index = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        self.tokens: list[Tensor] = []
        sentences = []
        distinct = sorted(self.index, key=len)
        order = [self.index[text] for text in distinct]
        for start in range(0, len(distinct), 64):
            features = encoder.encode(distinct[start : start + 64])
            sentences.append(features.sentence)
            self.tokens += [
                tokens[mask].to(torch.float16) for tokens, mask in zip(features.tokens, features.mask, strict=True)
            ]
        self.tokens = [self.tokens[place] for place in np.argsort(order)]
        self.sentences = torch.cat(sentences)[torch.from_numpy(np.argsort(order))].numpy()

    def padded(self, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        tokens = [self.tokens[row] for row in rows]
        mask = pad_sequence([torch.ones(len(one), dtype=torch.bool) for one in tokens], batch_first=True)
        return pad_sequence(tokens, batch_first=True).float(), mask


class Batches:
    """Draws batches; the same seed and the same number of draws give the same batches."""

    def __init__(
        self,
        data: TrainingSet,
        encoder: TextEncoder,
        model: ModelConfig,
        *,
        crop: float,
        noise: float,
        statistics: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        """`statistics`: mean and deviation (F,) to normalise with, those of the data where None."""
        self.mean, self.deviation = normalisation(data.rows) if statistics is None else statistics
        ends = np.cumsum(data.lengths)
        normalised = torch.from_numpy((data.rows - self.mean) / self.deviation)
        self.motions = [normalised[end - length : end] for end, length in zip(ends, data.lengths, strict=True)]
        self.lengths, self.starts = data.lengths, data.starts
        self.captions = Captions([text for texts in data.captions for text in texts], encoder)
        self.texts = [[self.captions.index[text] for text in texts] for texts in data.captions]
        self.model, self.crop, self.noise = model, crop, noise

        names = sorted({name for source in data.sources for name in source.split("+")})
        number = {name: row for row, name in enumerate(names)}
        # A window made of one clip names it twice: two columns for all.
        self.sources = np.array(
            [[number[part] for part in (source + "+" + source).split("+")[:2]] for source in data.sources]
        )
        held_out = np.array([zlib.crc32(name.encode()) % HELD_OUT == 0 for name in names])
        outside = held_out[self.sources].any(axis=1)
        self.training = np.flatnonzero(~outside)
        self.validation = np.flatnonzero(outside & (self.sources[:, 0] == self.sources[:, 1]))

        # A class is drawn by the square root of its minutes: walks must not drown bows, nor bows repeat for ever.
        minutes: Counter[str] = Counter()
        for group, length in zip(data.groups, data.lengths, strict=True):
            minutes[group] += int(length)
        weights = np.array([data.lengths[i] / minutes[data.groups[i]] ** 0.5 for i in self.training])
        self.weights = weights / weights.sum()
        self.library = np.stack([self.captions.sentences[texts[0]] for texts in self.texts])
        self.sides = np.stack([sides(text) for text in self.captions.index])
        self.library_sides = np.stack([self.sides[texts[0]] for texts in self.texts])

    def draw(self, size: int, rng: np.random.Generator) -> list[Batch]:
        """POOL batches of `size` training windows."""
        chosen = rng.choice(self.training, size=size * POOL, p=self.weights)
        chosen = chosen[np.argsort(self.lengths[chosen], kind="stable")]
        parts = chosen.reshape(POOL, size)
        return [self.assemble(part, rng, self.crop) for part in parts[rng.permutation(POOL)]]

    def assemble(self, windows: np.ndarray, rng: np.random.Generator, crop: float = 1.0) -> Batch:
        motions, texts, references, reference_texts, aligned = [], [], [], [], []
        for window in windows:
            length = int(self.lengths[window])
            kept = max(min(length, 20), int(length * rng.uniform(crop, 1.0)))
            start = int(rng.integers(0, length - kept + 1))
            motions.append(self.motions[window][start : start + kept])
            texts.append(int(rng.choice(self.texts[window])))
            found = self._retrieve(int(window), texts[-1], kept, rng)
            references += [self.motions[other][: int(kept * REFERENCE_CUT)] for other in found]
            reference_texts += [self.texts[other][0] for other in found]
            if self.model.aligned_reference:
                aligned.append(self._fitted(int(found[0]), kept))
        tokens, token_mask = self.captions.padded(texts)
        reference_tokens, reference_token_mask = self.captions.padded(reference_texts)
        shape = (len(windows), self.model.references)
        return Batch(
            motion=pad_sequence(motions, batch_first=True),
            lengths=torch.tensor([len(motion) for motion in motions]),
            tokens=tokens,
            token_mask=token_mask,
            references=pad_sequence(references, batch_first=True).unflatten(0, shape),
            reference_lengths=torch.tensor([len(motion) for motion in references]).reshape(shape),
            reference_tokens=reference_tokens.unflatten(0, shape),
            reference_token_mask=reference_token_mask.unflatten(0, shape),
            aligned=pad_sequence(aligned, batch_first=True) if aligned else None,
        )

    def _fitted(self, window: int, frames: int) -> Tensor:
        """A window as sampling shows a reference: stretched or repeated to `frames` frames, normalised."""
        rows = self.motions[window].numpy() * self.deviation + self.mean
        positions, contacts = LAYOUT.decode(rows.astype(np.float64))
        positions, contacts = fitted(positions.astype(np.float32), contacts.astype(np.float32), frames)
        rows = LAYOUT.encode(positions.astype(np.float64), contacts.astype(np.float64))
        return torch.from_numpy(((rows - self.mean) / self.deviation).astype(np.float32))

    def _retrieve(self, window: int, text: int, length: int, rng: np.random.Generator) -> np.ndarray:
        """References by hybrid score with a little noise, never the window itself.

        Four times in ten none of the same source clips: the network must learn to generalise. Twice none that overlaps
        the window. Else whatever fits best: of many kinds of motion there is one clip only, and without its variants
        the network would learn that references of that kind mislead.
        """
        scores = self.library @ self.captions.sentences[text] * length_factors(length, self.lengths)
        scores *= OPPOSITE_FACTOR ** contradictions(self.sides[text], self.library_sides)
        scores = scores + rng.normal(0.0, self.noise, len(scores))
        same = (self.sources[:, :, None] == self.sources[window][None, None]).any(axis=(1, 2))
        dice = rng.random()
        if dice > SAME_SOURCE_OUT + OVERLAP_OUT:
            same[:] = False
            same[window] = True
        elif dice > SAME_SOURCE_OUT:
            apart = (self.starts >= self.starts[window] + self.lengths[window]) | (
                self.starts + self.lengths <= self.starts[window]
            )
            same &= ~apart
        scores[same] = -np.inf
        best = np.argpartition(-scores, self.model.references)[: self.model.references]
        return best[np.argsort(-scores[best])]
