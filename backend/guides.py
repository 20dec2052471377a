# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clips guide a take: the references that the network attends to, and the origin that it begins with."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import reduce
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .library import Retrieved, search
from .library.fit import fits, fitted
from .library.opposites import contradictions, sides
from .motion.contacts import detect_contacts
from .motion.sequence import SEAM, in_sequence
from .motion.skeleton import FPS
from .text.clauses import clauses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .library import Library
    from .model_card import ModelCard
    from .request import Request
    from .text import TextEncoder

REACH: Final = 4
"""How many times more clips are looked at where some may turn out to say the opposite."""

CANDIDATES: Final = 8
"""References among which a take finds the one that its sampling starts from."""

SHORTEST_PART: Final = 24
"""Frames that each of several things in a row gets at the least."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a take begins with: a clip of the library, or several in a row."""

    clips: tuple[Retrieved, ...]

    def fitted(self, frames: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Positions (frames, 22, 3) and contacts (frames, 4) at 20 fps."""
        if len(self.clips) == 1:
            clip = self.clips[0].clip
            return fitted(clip.positions, clip.contacts, frames)
        # Joining takes SEAM frames and, where poses meet earlier, some more.
        share = frames // len(self.clips) + 2 * SEAM
        parts = [fitted(each.clip.positions, each.clip.contacts, share)[0] for each in self.clips]
        row = reduce(in_sequence, parts).astype(np.float32)
        return fitted(row, detect_contacts(row, FPS), frames)

    def facts(self) -> dict[str, Any]:
        """For the provenance: the first clip's reference, the others' under "then"."""
        first, *others = (asdict(each.reference) for each in self.clips)
        return first | ({"then": others} if others else {})


@dataclass(frozen=True, slots=True)
class Guides:
    """`references`: what every take of a request attends to; `origins`: what each take is shown frame by frame, and may
    begin with; `score`: how well they fit the words, of several in a row the one that fits least."""

    references: tuple[Retrieved, ...]
    origins: tuple[Origin | None, ...]
    score: float


class GuideSearch:
    """Finds the guides of requests in libraries, for one model."""

    def __init__(self, libraries: Callable[[], Sequence[Library]], encoder: TextEncoder, card: ModelCard) -> None:
        """`libraries` tells which there are now: the animator's own come and go."""
        self._libraries, self._encoder, self._card = libraries, encoder, card

    def guides(self, request: Request, frames: int, seeds: Sequence[int]) -> Guides:
        """`frames`: the wanted length in frames of the model."""
        found = self._best(request, request.prompt, frames)
        wanted = self._card.config.references
        if row := self._in_a_row(request, frames, found):
            ranked = [each for rank in zip_longest(*row) for each in rank if each is not None]
            # One clip may be the best for several things, and a small library may hold no other.
            distinct = {(each.reference.library, each.reference.clip): each for each in reversed(ranked)}
            references = list(reversed(distinct.values()))[:wanted]
            score = min(part[0].reference.score for part in row)
            return Guides(tuple(references), tuple(self._origin(row, frames, seed) for seed in seeds), score)
        # What the animator pinned is what a take begins with, however well other clips fit the words.
        pins = found[: _pins(request)]
        score = 1.0 if pins else found[0].reference.score if found else 0.0
        origins = tuple(self._origin([pins or found], frames, seed) for seed in seeds)
        return Guides(tuple(found[:wanted]), origins, score)

    def _best(self, request: Request, text: str, frames: int) -> list[Retrieved]:
        """The best clips for a text and a length, best first, after those that the animator pinned."""
        sentence = self._encoder.encode([self._card.sampler.worded(text)]).sentence[0]
        wanted = max(CANDIDATES, self._card.config.references)
        length = frames * FPS / self._card.layout.fps
        factor = self._card.sampler.opposite_factor
        chosen = (request.pinned, request.banned)
        if factor == 1.0:
            return search(self._libraries(), sentence, self._encoder.name, length, wanted, *chosen)
        wide = search(self._libraries(), sentence, self._encoder.name, length, REACH * wanted, *chosen)
        own, several = sides(text), len(clauses(text)) > 1
        judged = []
        for one, clip in wide:
            wrong = int(contradictions(own, sides(one.caption)))
            # "walks, then waves" and "walks and waves" are nearly one sentence vector.
            wrong += several != (len(clauses(one.caption)) > 1)
            judged.append(Retrieved(replace(one, score=one.score * factor**wrong), clip))
        pins = _pins(request)
        return (judged[:pins] + sorted(judged[pins:], key=lambda each: -each.reference.score))[:wanted]

    def _in_a_row(self, request: Request, frames: int, whole: Sequence[Retrieved]) -> list[list[Retrieved]]:
        """The best clips for each thing of a prompt that says several one after another; empty where clips that show
        all of it are as good, or nothing begins with a reference.

        The animator's own choice, and motions that are changed in part, are left alone.
        """
        parts = clauses(request.prompt)
        begins = self._card.sampler.start_timestep or self._card.config.aligned_reference
        if not whole or not begins or len(parts) < 2 or frames < SHORTEST_PART * len(parts):
            return []
        if request.pinned or request.canvas is not None:
            return []
        row = [self._best(request, part, frames // len(parts)) for part in parts]
        weakest = min(part[0].reference.score for part in row)
        return row if weakest > whole[0].reference.score else []

    def _origin(self, row: Sequence[Sequence[Retrieved]], frames: int, seed: int) -> Origin | None:
        """What the take of this seed starts from, or is shown frame by frame: clips that fit about as well as the best,
        by the seed's dice. Clips that need no more than a little stretching come first.
        """
        sampler = self._card.sampler
        if not row[0] or not (sampler.start_timestep or self._card.config.aligned_reference):
            return None
        # Streams 0 and 1 of a seed are noise and coins, see diffusion.randomness.
        dice = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
        clips = []
        for found in row:
            near = [each for each in found if each.reference.score >= found[0].reference.score - sampler.start_margin]
            near = [each for each in near if fits(each.clip.frames, frames // len(row))] or near
            clips.append(near[dice.integers(len(near))])
        return Origin(tuple(clips))


def _pins(request: Request) -> int:
    """How many of the clips that were found first are the animator's choice."""
    return len(set(request.pinned) - set(request.banned))
