# SPDX-License-Identifier: GPL-3.0-or-later
"""Prompt and references -> what the denoiser is conditioned on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.utils.rnn import pad_sequence

from .errors import BackendError
from .text import TextFeatures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from .library import Retrieved
    from .model import Conditioning
    from .model_folder import LoadedModel
    from .text import TextEncoder


@torch.inference_mode()
def conditioning(
    model: LoadedModel,
    encoder: TextEncoder,
    text: TextFeatures,
    guides: Sequence[Retrieved],
    aligned: Tensor | None,
    count: int,
) -> Conditioning:
    """Prompt and references as the denoiser reads them, for `count` samples, in float32 always: every step depends on
    them. `aligned` (count, T, F) holds one reference of each sample, fitted to length.

    Raises BackendError where a reference is none that the model can read.
    """
    network, device = model.network, model.device
    prompt = network.encode_text(text.tokens.to(device), text.mask.to(device))
    if not guides:
        return network.denoiser.condition(prompt, None).repeated(count)
    motions, captions = _official(model, guides) if model.card.layout.rotations else _encoded(model, encoder, guides)
    motions = [motion[: model.card.config.max_frames] for motion in motions]
    lengths = torch.tensor([len(motion) for motion in motions], device=device)
    references = network.encode_references(
        pad_sequence(motions, batch_first=True)[None],
        lengths[None],
        captions.tokens[None].to(device),
        captions.mask[None].to(device),
    )
    shared = network.denoiser.condition(prompt, references).repeated(count)
    return shared if aligned is None else network.denoiser.aligned_to(shared, aligned)


def _encoded(
    model: LoadedModel, encoder: TextEncoder, guides: Sequence[Retrieved]
) -> tuple[list[Tensor], TextFeatures]:
    """Normalised features and captions of references, made from their positions and words."""
    motions = [model.features(each.clip.positions, each.clip.contacts) for each in guides]
    return motions, encoder.encode([each.reference.caption for each in guides])


def _official(model: LoadedModel, guides: Sequence[Retrieved]) -> tuple[list[Tensor], TextFeatures]:
    """The same as an official database holds them: rotations cannot be made from positions."""
    card, motions, tokens = model.card, [], []
    for reference, clip in guides:
        own = clip.features
        if own is None or (own.layout, own.encoder) != (card.layout.name, card.encoder):
            raise unsuitable(reference.library, card.name)
        if (own.rows.shape[1], own.tokens.shape[1]) != (card.config.features, card.config.reference_token_width):
            raise unsuitable(reference.library, card.name)
        motions.append(torch.tensor(own.rows, device=model.device))
        tokens.append(torch.tensor(own.tokens, dtype=torch.float32))
    return motions, TextFeatures.batch(tokens, [each[-1] for each in tokens])


def unsuitable(library: str, model: str) -> BackendError:
    return BackendError(
        "library_unsuitable",
        f"The library {library} has clips that the model {model} cannot read.",
        "Leave it out: official models read the official database alone, see library import official.",
    )
