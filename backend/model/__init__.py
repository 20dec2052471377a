# SPDX-License-Identifier: GPL-3.0-or-later
"""The network: semantics-modulated transformer and retrieval encoder.

Training, with gradients through everything:

    model = ReMoDiffuse(ModelConfig(features=263))
    text = model.encode_text(token_features, token_mask)                       # (B, N, .), (B, N) or None
    references = model.encode_references(motions, lengths, captions, masks)    # (B, R, M, F), (B, R), (B, R, N, .)
    x0 = model(x_t, timesteps, frame_mask, text, references, keep_text, keep_references)

Sampling: the conditions are summarised once per prompt, then `backend.diffusion.sample` does the rest:

    conditions = model.denoiser.condition(text, references)                    # references may be None
    takes = conditions.repeated(K)                                             # K takes of the one prompt
    x0 = sample(packed(model.denoiser), takes, frame_mask, noise, coins, schedule, model.config.mixture)

Masks are true for what is real. Motions are normalised features, B batch, T frames, F features, R references.
"""

from .conditions import Conditioning, ReferenceCondition, TextCondition
from .config import DiffusionConfig, MixtureConfig, ModelConfig
from .denoiser import Denoiser
from .packed import packed
from .remodiffuse import ReMoDiffuse

__all__ = [
    "Conditioning",
    "Denoiser",
    "DiffusionConfig",
    "MixtureConfig",
    "ModelConfig",
    "ReMoDiffuse",
    "ReferenceCondition",
    "TextCondition",
    "packed",
]
