# SPDX-License-Identifier: GPL-3.0-or-later
"""From a request to takes, the whole way."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from .device import choose_device
from .diffusion import Constraint, Schedule, Start, sample, take_coins, take_noise, taken_over
from .edited import changed, on_canvas
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
from .text import CachedEncoder, TextEncoder, TextFeatures, load_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from .guides import Origin
    from .library import Retrieved
    from .library_messages import Answer, Question
    from .model import Conditioning, MixtureConfig
    from .model_card import SamplerConfig
    from .motion.clip import Motion
    from .request import Canvas, Request

    Progress = Callable[[str, int, int], None]

MOST_DEVIATIONS: Final = 1000.0
"""No motion is that many standard deviations from the mean; a network without training can be, and is held there."""

FRESH: Final = 400
"""Timestep from which part of a motion is made afresh: enough noise to fit a reference between its neighbours."""


class Edit(NamedTuple):
    """How part of a motion is made anew."""

    constraint: Constraint
    start: Start


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
            raise _unsuitable(foreign[0].name, card.name)
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
        starts = [self._features(*origin.fitted(frames)) for origin in guides.origins if origin is not None]
        aligned = torch.stack(starts) if starts else None
        # In float32 always: once a prompt, and every step depends on them.
        conditions = self._conditions(text, guides.references, aligned, request.count)

        edit = self._edit(request, canvases, aligned) if canvases else None
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

    def _edit(self, request: Request, canvases: Sequence[Canvas], aligned: Tensor | None) -> Edit:
        """How the free part of canvases is made: what must come out, and what the sampling starts from."""
        card = self.model.card
        if card.layout.rotations or card.layout.fps != FPS:
            raise BackendError(
                "model_unsupported",
                f"The model {self.model_name} can make motions, but not change parts of them.",
                "Choose the starter model for this.",
            )
        motions = [canvas.motion for canvas in canvases]
        free = canvases[0].free
        values = torch.stack([self._features(motion.positions, motion.contacts) for motion in motions])
        last = card.config.diffusion.steps - 1
        constraint = Constraint.of(card.layout, free, values, self.model.normalise, self.model.restore)
        if request.strength < 1.0:
            return Edit(constraint, Start(values, round(request.strength * last)))
        fresh = values if aligned is None else taken_over(card.layout, values, aligned, free)
        timestep = max(card.sampler.start_timestep, FRESH) if aligned is not None else last
        return Edit(constraint, Start(fresh, min(timestep, last)))

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

    @torch.inference_mode()
    def _conditions(
        self, text: TextFeatures, guides: Sequence[Retrieved], aligned: Tensor | None, count: int
    ) -> Conditioning:
        """Prompt and references as the denoiser reads them, for `count` samples; `aligned` (count, T, F) holds one
        reference of each, fitted to length."""
        network, device = self.model.network, self.model.device
        prompt = network.encode_text(text.tokens.to(device), text.mask.to(device))
        if not guides:
            return network.denoiser.condition(prompt, None).repeated(count)
        motions, captions = self._official(guides) if self.model.card.layout.rotations else self._encoded(guides)
        motions = [motion[: self.model.card.config.max_frames] for motion in motions]
        lengths = torch.tensor([len(motion) for motion in motions], device=device)
        references = network.encode_references(
            pad_sequence(motions, batch_first=True)[None],
            lengths[None],
            captions.tokens[None].to(device),
            captions.mask[None].to(device),
        )
        shared = network.denoiser.condition(prompt, references).repeated(count)
        return shared if aligned is None else network.denoiser.aligned_to(shared, aligned)

    def _encoded(self, guides: Sequence[Retrieved]) -> tuple[list[Tensor], TextFeatures]:
        """Normalised features and captions of references, made from their positions and words."""
        motions = [self._features(each.clip.positions, each.clip.contacts) for each in guides]
        return motions, self.encoder.encode([each.reference.caption for each in guides])

    def _official(self, guides: Sequence[Retrieved]) -> tuple[list[Tensor], TextFeatures]:
        """The same as an official database holds them: rotations cannot be made from positions."""
        card, motions, tokens = self.model.card, [], []
        for reference, clip in guides:
            own = clip.features
            if own is None or (own.layout, own.encoder) != (card.layout.name, card.encoder):
                raise _unsuitable(reference.library, card.name)
            if (own.rows.shape[1], own.tokens.shape[1]) != (card.config.features, card.config.reference_token_width):
                raise _unsuitable(reference.library, card.name)
            motions.append(torch.tensor(own.rows, device=self.model.device))
            tokens.append(torch.tensor(own.tokens, dtype=torch.float32))
        return motions, TextFeatures.batch(tokens, [each[-1] for each in tokens])

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

    def _features(self, positions: NDArray[np.float32], contacts: NDArray[np.float32]) -> Tensor:
        """(T, 22, 3) and (T, 4) -> normalised features (T, F)."""
        rows = self.model.card.layout.encode(positions.astype(np.float64), contacts.astype(np.float64))
        return self.model.normalise(torch.from_numpy(rows.astype(np.float32)).to(self.model.device))

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


def _unsuitable(library: str, model: str) -> BackendError:
    return BackendError(
        "library_unsuitable",
        f"The library {library} has clips that the model {model} cannot read.",
        "Leave it out: official models read the official database alone, see library import official.",
    )
