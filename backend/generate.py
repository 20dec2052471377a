# SPDX-License-Identifier: GPL-3.0-or-later
"""From a request to takes, the whole way."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from .device import choose_device
from .diffusion import Schedule, Start, sample, take_coins, take_noise
from .errors import BackendError
from .library import Library, Retrieved, search
from .library.fit import fits, fitted
from .library.opposites import contradictions, sides
from .model_folder import LIBRARY, STARTER, LoadedModel, load_model
from .motion.decoding import decoded, supported
from .motion.rebuild import rebuilt
from .motion.skeleton import FPS
from .request import Provenance, Take
from .text import CachedEncoder, TextEncoder, TextFeatures, load_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from .model import Conditioning
    from .model_card import SamplerConfig
    from .motion.clip import Motion
    from .request import Request

    Progress = Callable[[str, int, int], None]

MOST_DEVIATIONS: Final = 1000.0
"""No motion is that many standard deviations from the mean; a network without training can be, and is held there."""

REACH: Final = 4
"""How many times more clips are looked at where some may turn out to say the opposite."""

START_CANDIDATES: Final = 8
"""References among which a take finds the one that its sampling starts from."""


class Generator:
    """A model, its text encoder and the libraries that it retrieves from. One thread at a time."""

    def __init__(self, model: LoadedModel, encoder: TextEncoder, libraries: Sequence[Library]) -> None:
        """Raises BackendError where they do not belong together."""
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
        self.libraries = libraries
        self.device = str(model.device)
        self.model_name = card.name
        self.encoder = encoder

    @classmethod
    def load(cls, model: Path | None = None, libraries: Sequence[Path] | None = None, device: str = "auto") -> Self:
        """Load a model folder (default: the starter model) and libraries (default: the one in the model's folder).

        Raises BackendError where one of them cannot be used, or the device does not exist.
        """
        folder = model or STARTER
        if libraries is None:
            libraries = [path for path in [folder / LIBRARY] if path.is_file()]
        loaded = load_model(folder, choose_device(device))
        encoder = CachedEncoder(load_encoder(loaded.card.encoder, folder))
        return cls(loaded, encoder, [Library.open(path) for path in libraries])

    def with_sampler(self, sampler: SamplerConfig) -> Self:
        """The same model, encoder and libraries, sampled in another way."""
        card = replace(self.model.card, sampler=sampler)
        return type(self)(replace(self.model, card=card), self.encoder, self.libraries)

    def generate(self, request: Request, progress: Progress | None = None) -> list[Take]:
        """`request.count` takes. `progress(stage, step, steps)` may raise CancelledError, which ends the work."""
        frames = self._own_frames(request)
        report = progress or (lambda stage, step, steps: None)
        seeds = [request.seed + number for number in range(request.count)]

        report("text", 0, 1)
        text = self.encoder.encode([request.prompt])

        report("retrieval", 0, 1)
        found = self._search(request.prompt, text, frames)
        guides = found[: self.model.card.config.references]
        origins = [self._origin(found, frames, seed) for seed in seeds]

        report("conditions", 0, 1)
        clips = [origin.clip for origin in origins if origin is not None]
        starts = [self._features(*fitted(clip.positions, clip.contacts, frames)) for clip in clips]
        aligned = torch.stack(starts) if starts else None
        conditions = self._conditions(text, guides, aligned, request.count)

        schedule = self._schedule(request.quality, started=aligned is not None)
        features = self._sample(frames, seeds, conditions, aligned, schedule, report)

        takes = []
        for number, rows in enumerate(features):
            report("motion", number, request.count)
            provenance = self._provenance(request, seeds[number], guides, origins[number], schedule)
            takes.append(Take(self._motion(rows, request.frames), provenance))
        report("motion", request.count, request.count)
        return takes

    def origin(self, request: Request) -> Retrieved | None:
        """The clip that the first take of a request is made from; None where sampling starts from noise alone."""
        text = self.encoder.encode([request.prompt])
        frames = self._own_frames(request)
        return self._origin(self._search(request.prompt, text, frames), frames, request.seed)

    def _schedule(self, quality: str, *, started: bool) -> Schedule:
        """The timesteps to sample along; a fast one begins just where the sampling does."""
        diffusion, start = self.model.card.config.diffusion, self.model.card.sampler.start_timestep
        if quality == "fast":
            return Schedule.fast(diffusion, start if started and start else None)
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

    def _search(self, prompt: str, text: TextFeatures, frames: int) -> list[Retrieved]:
        """The best clips for prompt and length, best first; they depend on nothing else."""
        wanted = max(START_CANDIDATES, self.model.card.config.references)
        length = frames * FPS / self.model.card.layout.fps
        factor = self.model.card.sampler.opposite_factor
        if factor == 1.0:
            return search(self.libraries, text.sentence[0], self.encoder.name, length, wanted)
        wide = search(self.libraries, text.sentence[0], self.encoder.name, length, REACH * wanted)
        own = sides(prompt)
        judged = [
            Retrieved(replace(one, score=one.score * factor ** int(contradictions(own, sides(one.caption)))), clip)
            for one, clip in wide
        ]
        return sorted(judged, key=lambda each: -each.reference.score)[:wanted]

    def _origin(self, found: Sequence[Retrieved], frames: int, seed: int) -> Retrieved | None:
        """The clip that the take of this seed starts from, or is shown frame by frame: one that fits about as well as
        the best, by the seed's dice. Clips that need no more than a little stretching come first.
        """
        sampler = self.model.card.sampler
        if not found or not (sampler.start_timestep or self.model.card.config.aligned_reference):
            return None
        near = [each for each in found if each.reference.score >= found[0].reference.score - sampler.start_margin]
        near = [each for each in near if fits(each.clip.frames, frames)] or near
        # Streams 0 and 1 of a seed are noise and coins, see diffusion.randomness.
        dice = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
        return near[dice.integers(len(near))]

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
        frames: int,
        seeds: Sequence[int],
        conditions: Conditioning,
        aligned: Tensor | None,
        schedule: Schedule,
        report: Progress,
    ) -> Tensor:
        """Features (K, T, F) of all takes, in one batch. Each has noise and coins of its own seed."""
        config, device = self.model.card.config, self.model.device
        noise = np.stack([take_noise(seed, frames, config.features) for seed in seeds])
        timestep = self.model.card.sampler.start_timestep
        normalised = sample(
            self.model.network.denoiser,
            conditions,
            torch.ones(len(seeds), frames, dtype=torch.bool, device=device),
            torch.from_numpy(noise).to(device),
            take_coins(seeds, len(schedule)),
            schedule,
            config.mixture,
            None if aligned is None or not timestep else Start(aligned, timestep),
            lambda step, steps: report("sampling", step, steps),
        )
        if not normalised.isfinite().all():
            raise BackendError(
                "bad_model",
                f"The model {self.model_name} made numbers that are no motion.",
                "Try another seed; if it happens again, import or install the model again.",
            )
        return self.model.restore(normalised.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS))

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
        seed: int,
        guides: Sequence[Retrieved],
        origin: Retrieved | None,
        schedule: Schedule,
    ) -> Provenance:
        card = self.model.card
        start = None
        if origin is not None:
            start = {"timestep": card.sampler.start_timestep, **asdict(origin.reference)}
        return Provenance(
            prompt=request.prompt,
            seconds=request.seconds,
            seed=seed,
            model=f"{card.name} {card.version}",
            model_hash=card.weights_sha256,
            licence=card.licence,
            sampler={
                "quality": request.quality,
                "steps": len(schedule),
                "mixture": asdict(card.config.mixture),
                "start": start,
            },
            references=tuple(each.reference for each in guides),
        )


def _unsuitable(library: str, model: str) -> BackendError:
    return BackendError(
        "library_unsuitable",
        f"The library {library} has clips that the model {model} cannot read.",
        "Leave it out: official models read the official database alone, see library import official.",
    )
