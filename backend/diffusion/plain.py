# SPDX-License-Identifier: GPL-3.0-or-later
"""The same sampling without any shortcut: the oracle of the sampler's tests and the yardstick of the benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .mixture import KEEPS_REFERENCES, KEEPS_TEXT, mixture_weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ..model import MixtureConfig, ReferenceCondition, ReMoDiffuse, TextCondition
    from .schedule import Schedule


@torch.inference_mode()
def sample_plainly(
    model: ReMoDiffuse,
    text: TextCondition,
    references: ReferenceCondition | None,
    frame_mask: Tensor,
    noise: Tensor,
    coins: NDArray[np.int64],
    schedule: Schedule,
    mixture: MixtureConfig,
    aligned: Tensor | None = None,
) -> Tensor:
    """As `sample`, but every step evaluates all four branches and reads all conditions afresh."""
    weights = torch.from_numpy(mixture_weights(mixture, schedule.timesteps, coins)).to(noise)
    x = noise
    for index in reversed(range(len(schedule))):
        timesteps = torch.full((len(x),), int(schedule.timesteps[index]), device=x.device)
        clean = torch.zeros_like(x)
        for branch, (keep_text, keep_references) in enumerate(zip(KEEPS_TEXT, KEEPS_REFERENCES, strict=True)):
            kept = torch.full_like(timesteps, keep_text, dtype=torch.bool)
            kept_references = torch.full_like(timesteps, keep_references, dtype=torch.bool)
            predicted = model(x, timesteps, frame_mask, text, references, kept, kept_references, aligned)
            clean = clean + weights[index, :, branch, None, None] * predicted
        x = schedule.ddim_step(x, clean, index)
    return x
