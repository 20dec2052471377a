# SPDX-License-Identifier: GPL-3.0-or-later
"""How part of a motion is made anew, and what comes of it: laid onto its canvas, and told in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import torch

from .diffusion import Constraint, Start, taken_over
from .errors import BackendError
from .motion.features import heading
from .motion.joining import placed, standing
from .motion.skeleton import FPS, JOINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from .model_folder import LoadedModel
    from .motion.clip import Motion
    from .request import Canvas, Request


FRESH: Final = 400
"""Timestep from which part of a motion is made afresh: enough noise to fit a reference between its neighbours."""


class Edit(NamedTuple):
    """How part of a motion is made anew."""

    constraint: Constraint
    start: Start


def edit_of(model: LoadedModel, request: Request, canvases: Sequence[Canvas], aligned: Tensor | None) -> Edit:
    """How the free part of canvases is made: what must come out, and what the sampling starts from.

    Raises BackendError where the model cannot change motions.
    """
    card = model.card
    if card.layout.rotations or card.layout.fps != FPS:
        raise BackendError(
            "model_unsupported",
            f"The model {card.name} can make motions, but not change parts of them.",
            "Choose the starter model for this.",
        )
    motions = [canvas.motion for canvas in canvases]
    free = canvases[0].free
    values = torch.stack([model.features(motion.positions, motion.contacts) for motion in motions])
    last = card.config.diffusion.steps - 1
    constraint = Constraint.of(card.layout, free, values, model.normalise, model.restore)
    if request.strength < 1.0:
        return Edit(constraint, Start(values, round(request.strength * last)))
    fresh = values if aligned is None else taken_over(card.layout, values, aligned, free)
    timestep = max(card.sampler.start_timestep, FRESH) if aligned is not None else last
    return Edit(constraint, Start(fresh, min(timestep, last)))


def on_canvas(canvas: Canvas, made: Motion) -> Motion:
    """A sampled motion where the canvas is: turned and moved to fit, and the canvas itself in all that was not free."""
    free = canvas.free[:, 0]
    # Where the canvas is known best, far from what was made anew.
    held = np.flatnonzero(~free)
    frame = 0
    if len(held):
        others = np.flatnonzero(free)
        distance = np.abs(held[:, None] - others).min(axis=1) if len(others) else np.zeros(len(held))
        frame = int(held[distance.argmax()])
    yaw = float(heading(canvas.motion.positions)[frame])
    return standing(canvas.motion, placed(made, frame, yaw, canvas.motion.root[frame]), canvas.free)


def changed(canvas: Canvas) -> dict[str, Any]:
    """Frames and joints that were free, for the provenance."""
    frames = np.flatnonzero(canvas.free.any(axis=1))
    joints = [JOINTS[joint] for joint in np.flatnonzero(canvas.free.any(axis=0))]
    return {
        "frames": [int(frames[0]), int(frames[-1])],
        "joints": "all" if len(joints) == len(JOINTS) else joints,
        "of": canvas.motion.frames,
    }
