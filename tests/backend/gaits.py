# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions by formula: enough for tests that need some motion, whatever it looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backend.library import Clip
from backend.motion.contacts import detect_contacts
from backend.motion.rotations import forward_kinematics
from backend.motion.skeleton import FPS, INDEX, JOINTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAPTIONS = {
    "a person walks forward": (1.2, 0.5),
    "a person runs forward": (3.0, 0.9),
    "a person stands still": (0.0, 0.0),
    "a person walks backward": (-1.0, 0.4),
    "a person marches on the spot": (0.0, 0.7),
}


def gait(frames: int, speed: float, swing: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Positions (T, 22, 3) and contacts (T, 4) of a figure that swings arms and legs and travels along +Z."""
    time = np.arange(frames) / FPS
    angle = swing * np.sin(2 * np.pi * time)
    rotations = np.zeros((frames, len(JOINTS), 4))
    rotations[..., 0] = 1
    for joint, share in (("left_hip", 1), ("right_hip", -1), ("left_shoulder", -0.5), ("right_shoulder", 0.5)):
        rotations[:, INDEX[joint], 0] = np.cos(share * angle / 2)
        rotations[:, INDEX[joint], 1] = np.sin(share * angle / 2)
    root = np.stack([np.zeros(frames), np.full(frames, 0.94), speed * time], axis=1)
    positions = forward_kinematics(rotations, root)
    return positions, detect_contacts(positions, FPS)


def gait_clip(caption: str, frames: int = 80) -> Clip:
    positions, contacts = gait(frames, *CAPTIONS[caption])
    return Clip((caption,), positions, contacts, "made by formula", "CC0-1.0", ("test",))
