# SPDX-License-Identifier: GPL-3.0-or-later
"""Diffusion: noise schedule, condition mixture, DDIM sampling, and the draws of a training step.

    schedule = Schedule.sampling(model.config.diffusion)
    noise = torch.from_numpy(np.stack([take_noise(seed, frames, features) for seed in seeds]))
    coins = take_coins(seeds, len(schedule))
    x0 = sample(model.denoiser, conditions, frame_mask, noise, coins, schedule, model.config.mixture)

with `conditions` made once per prompt, see `backend.model`.
"""

from .editing import Constraint, taken_over
from .mixture import BRANCHES, mixture_weights
from .randomness import take_coins, take_noise
from .sampler import MixedDenoiser, Start, sample
from .schedule import Schedule, kept_timesteps
from .training import draw_kept_conditions, kept_conditions, reconstruction_loss

__all__ = [
    "BRANCHES",
    "Constraint",
    "MixedDenoiser",
    "Schedule",
    "Start",
    "draw_kept_conditions",
    "kept_conditions",
    "kept_timesteps",
    "mixture_weights",
    "reconstruction_loss",
    "sample",
    "take_coins",
    "take_noise",
    "taken_over",
]
