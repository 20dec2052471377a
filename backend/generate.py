# SPDX-License-Identifier: GPL-3.0-or-later
"""From a request to takes, the whole way."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np
import torch

from .conditioning import conditioning, unsuitable
from .device import choose_device
from .diffusion import Schedule, Start, sample, take_coins, take_noise
from .edited import changed, edit_of, on_canvas
from .errors import BackendError
from .guides import Guides, GuideSearch
from .librarian import answered
from .library import Library, Shelf
from .model import packed
from .model_folder import LIBRARY, STARTER, LoadedModel, load_model
from .motion.decoding import decoded, supported
from .motion.rebuild import rebuilt
from .motion.skeleton import FPS
from .precision import PRECISIONS, precise
from .request import Provenance, Take
from .row import takes_of_row
from .text import CachedEncoder, TextEncoder, load_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from .edited import Edit
    from .guides import Origin
    from .library_messages import Answer, Question
    from .model import Conditioning, MixtureConfig
    from .model_card import SamplerConfig
    from .motion.clip import Motion
    from .request import Canvas, Request

    Progress = Callable[[str, int, int], None]

MOST_DEVIATIONS: Final = 1000.0
"""No motion is that many standard deviations from the mean; a network without training can be, and is held there."""


class Made(NamedTuple):
    """Features (K, T, F) of takes, and the provenance of each."""

    features: Tensor
    provenances: list[Provenance]


class Generator:
    """A model, its text encoder and the libraries that it retrieves from. One thread at a time."""

    def __init__(
        self,
        model: LoadedModel,
        encoder: TextEncoder,
        libraries: Sequence[Library],
        shelf: Shelf | None = None,
        precision: str = "float32",
    ) -> None:
        """`shelf` holds the animator's own libraries; `precision` as in `precision.PRECISIONS`.

        Raises BackendError where they do not belong together.
        """
        precise(precision, model.device)
        card = model.card
        if not supported(card.layout):
            raise BackendError(
                "model_unsupported", f"The model {card.name} uses another motion format.", "Choose another model."
            )
        if encoder.name != card.encoder or encoder.token_dim != card.config.token_width:
            raise BackendError(
                "bad_model",
                f"The model {card.name} was not trained on the text encoder {encoder.name}.",
                "Restore the model's folder from a backup or install it again.",
            )
        if card.layout.rotations and (foreign := [each for each in libraries if each.layouts() - {card.layout.name}]):
            raise unsuitable(foreign[0].name, card.name)
        self.model = model
        self.given = libraries
        self.shelf = None if card.layout.rotations else shelf
        self.device = str(model.device)
        self.model_name = card.name
        self.encoder = encoder
        self.precision = precision
        self._guides = GuideSearch(lambda: self.libraries, encoder, card)
        self._denoiser = packed(model.network.denoiser, PRECISIONS[precision])

    @property
    def libraries(self) -> list[Library]:
        """All that is searched: the given ones, then the animator's own as they are now."""
        return [*self.given, *(self.shelf.libraries if self.shelf else ())]

    @classmethod
    def load(
        cls,
        model: Path | None = None,
        libraries: Sequence[Path] | None = None,
        device: str = "auto",
        shelf: Path | None = None,
        precision: str = "float32",
    ) -> Self:
        """Load a model folder (default: the starter model) and libraries (default: the one in the model's folder), and
        a folder of the animator's own libraries if there is one.

        Raises BackendError where one of them cannot be used, or the device does not exist.
        """
        folder = model or STARTER
        if libraries is None:
            libraries = [path for path in [folder / LIBRARY] if path.is_file()]
        loaded = load_model(folder, choose_device(device))
        encoder = CachedEncoder(load_encoder(loaded.card.encoder, folder))
        given = [Library.open(path) for path in libraries]
        own = Shelf(shelf, encoder, [each.name for each in given]) if shelf else None
        return cls(loaded, encoder, given, own, precision)

    def with_sampler(self, sampler: SamplerConfig) -> Self:
        """The same model, encoder and libraries, sampled in another way."""
        card = replace(self.model.card, sampler=sampler)
        return type(self)(replace(self.model, card=card), self.encoder, self.given, self.shelf, self.precision)

    def answer(self, question: Question) -> Answer:
        """Answers a question about the libraries. Raises BackendError."""
        return answered(question, self)

    def generate(self, request: Request, progress: Progress | None = None) -> list[Take]:
        """`request.count` takes. `progress(stage, step, steps)` may raise CancelledError, which ends the work."""
        report = progress or (lambda stage, step, steps: None)
        if request.then:
            return takes_of_row(self.sampled, request, report)
        return self.sampled(request, [request.canvas] * request.count if request.canvas else [], report)

    def sampled(self, request: Request, canvases: Sequence[Canvas], report: Progress) -> list[Take]:
        """Takes of the request's first prompt. With canvases, take k is canvas k with its free part made anew; what is
        free must be the same in all of them.
        """
        made = self._made(request, self._own_frames(request), canvases, report)
        takes = []
        for number, rows in enumerate(made.features):
            report("motion", number, request.count)
            motion = self._motion(rows, request.frames)
            takes.append(Take(on_canvas(canvases[number], motion) if canvases else motion, made.provenances[number]))
        report("motion", request.count, request.count)
        return takes

    def features(self, request: Request, frames: int, beyond: int = 0) -> NDArray[np.float32]:
        """What takes of an official model are decoded from: (K, T, F), `frames` of the model's own, whatever the
        request says, and up to `beyond` more, which are not part of the motion.

        An evaluator of the paper's protocol looks over the end of a motion, at what the network makes of padding.
        """
        return self._made(request, frames, [], lambda stage, step, steps: None, beyond).features.cpu().numpy()

    def _made(
        self, request: Request, frames: int, canvases: Sequence[Canvas], report: Progress, beyond: int = 0
    ) -> Made:
        """Features (K, T, F) of all takes of a request's first prompt, and where they come from."""
        seeds = [request.seed + number for number in range(request.count)]

        report("text", 0, 1)
        text = self.encoder.encode([self.model.card.sampler.worded(request.prompt)])

        report("retrieval", 0, 1)
        guides = self._guides.guides(request, frames, seeds)

        report("conditions", 0, 1)
        starts = [self.model.features(*origin.fitted(frames)) for origin in guides.origins if origin is not None]
        aligned = torch.stack(starts) if starts else None
        conditions = conditioning(self.model, self.encoder, text, guides.references, aligned, request.count)

        edit = edit_of(self.model, request, canvases, aligned) if canvases else None
        start = edit.start if edit else self._start(aligned, guides.score)
        schedule = self._schedule(request.quality, start)
        real = torch.arange(min(frames + beyond, self.model.card.config.max_frames)) < frames
        with precise(self.precision, self.model.device):
            features = self._sample(request, real, seeds, conditions, schedule, start, edit, report)
        provenances = [self._provenance(request, number, guides, schedule, start) for number in range(request.count)]
        return Made(features, provenances)

    def _start(self, aligned: Tensor | None, score: float) -> Start | None:
        sampler = self.model.card.sampler
        if aligned is None or not sampler.start_timestep or score < sampler.start_score:
            return None
        return Start(aligned, sampler.start_timestep)

    def origin(self, request: Request) -> Origin | None:
        """What the first take of a request begins with; None where sampling starts from noise alone."""
        return self._guides.guides(request, self._own_frames(request), [request.seed]).origins[0]

    def _schedule(self, quality: str, start: Start | None) -> Schedule:
        """The timesteps to sample along; a fast one begins just where the sampling does."""
        diffusion = self.model.card.config.diffusion
        if quality == "fast":
            return Schedule.fast(diffusion, start.timestep if start else None)
        return Schedule.sampling(diffusion)

    def _own_frames(self, request: Request) -> int:
        """The wanted length in frames of the model."""
        card = self.model.card
        frames = card.layout.own_frames(request.frames)
        if frames > card.config.max_frames:
            raise BackendError(
                "bad_request",
                f"The model {self.model_name} makes clips of at most "
                f"{card.config.max_frames / card.layout.fps:g} seconds.",
                "Ask for a shorter clip or choose another model.",
            )
        return frames

    def _sample(
        self,
        request: Request,
        real: Tensor,
        seeds: Sequence[int],
        conditions: Conditioning,
        schedule: Schedule,
        start: Start | None,
        edit: Edit | None,
        report: Progress,
    ) -> Tensor:
        """Features (K, T, F) of all takes, in one batch. Each has noise and coins of its own seed. `real` (T,) bool
        says which frames are part of the motion."""
        config, device = self.model.card.config, self.model.device
        noise = np.stack([take_noise(seed, len(real), config.features) for seed in seeds])
        normalised = sample(
            self._denoiser,
            conditions,
            real.to(device).repeat(len(seeds), 1),
            torch.from_numpy(noise).to(device),
            take_coins(seeds, len(schedule)),
            schedule,
            self._mixture(request),
            start,
            lambda step, steps: report("sampling", step, steps),
            balance=request.balance,
            agree=edit.constraint if edit else None,
        )
        if not normalised.isfinite().all():
            raise BackendError(
                "bad_model",
                f"The model {self.model_name} made numbers that are no motion.",
                "Try another seed; if it happens again, import or install the model again.",
            )
        return self.model.restore(normalised.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS))

    def _mixture(self, request: Request) -> MixtureConfig:
        """The model's condition mixture, as strong as the request wants it."""
        mixture = self.model.card.config.mixture
        return replace(mixture, coarse_scale=mixture.coarse_scale * request.scale)

    def _motion(self, features: Tensor, frames: int) -> Motion:
        positions, contacts = decoded(self.model.card.layout, features.cpu().double().numpy(), frames)
        return rebuilt(positions, contacts, FPS)

    def _provenance(
        self,
        request: Request,
        number: int,
        guides: Guides,
        schedule: Schedule,
        start: Start | None,
    ) -> Provenance:
        card, origin = self.model.card, guides.origins[number]
        began = None if origin is None else {"timestep": start.timestep if start else 0, **origin.facts()}
        sampler = {
            "quality": request.quality,
            "precision": self.precision,
            "steps": len(schedule),
            "mixture": asdict(self._mixture(request)),
            "balance": request.balance,
            "scale": request.scale,
            "start": began,
            "pinned": [list(key) for key in request.pinned],
            "banned": [list(key) for key in request.banned],
        }
        if request.canvas is not None:
            sampler |= {"strength": request.strength, "changed": changed(request.canvas)}
        return Provenance(
            prompt=request.prompt,
            seconds=request.seconds,
            seed=request.seed + number,
            model=f"{card.name} {card.version}",
            model_hash=card.weights_sha256,
            licence=card.licence,
            sampler=sampler,
            references=tuple(each.reference for each in guides.references),
        )
