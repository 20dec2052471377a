# SPDX-License-Identifier: GPL-3.0-or-later
"""Joint positions <-> the feature vectors that the model sees (HumanML3D convention, Guo et al. 2022).

Per frame: root yaw velocity (1), root horizontal velocity (2), root height (1), joint positions 3(J-1), optionally
6-number joint rotations 6(J-1), joint velocities 3J, foot contacts 4. Everything is expressed in the frame that
follows the root along the ground and turns with the body's heading, so a walk looks the same wherever it goes.

The rotation block of the official layout repeats what the positions say and is not a pose, so decoding ignores it;
the starter model's layout leaves it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .skeleton import FPS, INDEX

Array = NDArray[np.floating[Any]]

HEADING_SIGMA = 4.0
"""Frames of Gaussian smoothing of the heading: it should follow the walk, not the swing of the hips."""


@dataclass(frozen=True, slots=True)
class FeatureLayout:
    """Where each block lies in a feature vector of `joints` joints (22: HumanML3D and ours, 21: KIT-ML)."""

    joints: int = 22
    rotations: bool = True
    fps: float = FPS
    unit: float = 1.0
    """Metres in one unit of length."""

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 1000 or not 1e-6 < self.unit < 1e6:
            raise ValueError("a layout's frame rate or unit of length is out of range")

    @property
    def name(self) -> str:
        """Tells feature vectors of different layouts apart."""
        return f"humanml3d-{self.size}"

    def own_frames(self, frames: int) -> int:
        """How many frames of this layout last as long as `frames` at 20 fps."""
        return max(round(frames * self.fps / FPS), 1)

    @property
    def root(self) -> slice:
        return slice(0, 4)

    @property
    def positions(self) -> slice:
        return slice(4, 4 + 3 * (self.joints - 1))

    @property
    def velocities(self) -> slice:
        start = self.positions.stop + (6 * (self.joints - 1) if self.rotations else 0)
        return slice(start, start + 3 * self.joints)

    @property
    def contacts(self) -> slice:
        return slice(self.velocities.stop, self.velocities.stop + 4)

    @property
    def size(self) -> int:
        """263 for 22 joints with rotations, 251 for 21, 137 for 22 without."""
        return self.contacts.stop

    def encode(self, positions: Array, contacts: Array) -> Array:
        """(T, J, 3) metres and (T, 4) -> (T, size). Frame 0's place and heading on the ground are given up.

        Velocities of frame t lead to frame t + 1; the last frame repeats the one before it.

        Raises ValueError for a layout with rotations: those come with HumanML3D files, never from us.
        """
        if self.rotations:
            raise ValueError("the rotation block cannot be made from positions; use FeatureLayout(rotations=False)")
        frames = len(positions)
        yaw = heading(positions)
        root = positions[:, 0]
        local = positions[:, 1:] - root[:, None] * [1.0, 0.0, 1.0]

        features = np.empty((frames, self.size))
        features[:-1, 0] = -0.5 * np.diff(yaw)
        features[:-1, 1:3] = _turn(np.diff(root, axis=0), -yaw[1:])[:, [0, 2]]
        features[:, 3] = root[:, 1]
        features[:, self.positions] = _turn(local, -yaw).reshape(frames, -1)
        features[:-1, self.velocities] = _turn(np.diff(positions, axis=0), -yaw[:-1]).reshape(frames - 1, -1)
        features[:, self.contacts] = contacts
        moving = [0, 1, 2, *range(self.velocities.start, self.velocities.stop)]
        features[-1, moving] = features[-2, moving]
        return features

    def decode(self, features: Array) -> tuple[Array, Array]:
        """(T, size) -> positions (T, J, 3) in metres, contacts (T, 4); starts at the origin, facing +Z."""
        frames = len(features)
        yaw = np.zeros(frames)
        yaw[1:] = np.cumsum(-2.0 * features[:-1, 0])
        steps = np.zeros((frames, 3))
        steps[1:, [0, 2]] = features[:-1, 1:3]
        root = np.cumsum(_turn(steps, yaw), axis=0)
        root[:, 1] = features[:, 3]
        joints = _turn(features[:, self.positions].reshape(frames, -1, 3), yaw) + root[:, None] * [1.0, 0.0, 1.0]
        return np.concatenate([root[:, None], joints], axis=1) * self.unit, features[:, self.contacts]


def heading(positions: Array, sigma: float = HEADING_SIGMA) -> Array:
    """(T, 22, 3) -> (T,) unwrapped yaw in radians: 0 faces +Z, positive turns to the body's left (+X)."""
    left = (
        positions[:, INDEX["left_hip"]]
        - positions[:, INDEX["right_hip"]]
        + positions[:, INDEX["left_shoulder"]]
        - positions[:, INDEX["right_shoulder"]]
    )
    # Facing = left x up; smoothing the vector, not the angle, needs no unwrapping first.
    facing = smooth(np.stack([-left[:, 2], left[:, 0]], axis=-1), sigma)
    return np.unwrap(np.arctan2(facing[:, 0], facing[:, 1]))


def smooth(track: Array, sigma: float) -> Array:
    """Gaussian filter along the first axis, `sigma` in frames, ends held."""
    if sigma <= 0:
        return track
    radius = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    held = np.concatenate([np.repeat(track[:1], radius, axis=0), track, np.repeat(track[-1:], radius, axis=0)])
    windows = np.lib.stride_tricks.sliding_window_view(held, len(kernel), axis=0)
    return windows @ kernel


def _turn(vectors: Array, yaw: Array) -> Array:
    """Turn (T, ..., 3) vectors about +Y by (T,) radians."""
    shape = (-1,) + (1,) * (vectors.ndim - 2)
    cos, sin = np.cos(yaw).reshape(shape), np.sin(yaw).reshape(shape)
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    return np.stack([cos * x + sin * z, y, cos * z - sin * x], axis=-1)
