# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes of an edited motion: laid onto its canvas, and told in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .motion.features import heading
from .motion.joining import placed, standing
from .motion.skeleton import JOINTS

if TYPE_CHECKING:
    from .motion.clip import Motion
    from .request import Canvas


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
