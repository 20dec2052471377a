# SPDX-License-Identifier: GPL-3.0-or-later
"""Diffusion with masks: part of a motion is made anew, the rest stays, and the travel in between comes out right.

After each denoising step the prediction of the clean motion is brought into agreement with what is known. Known
features are put in place (Lugmayr et al. 2022 do so with the noisy ones; with eta = 0 and the clean ones, both are the
same). Features hold travel as velocities, so the frames between two known ones must also add up to the way and the turn
from one to the other; what is missing is spread over them, little near their ends. The network sees the correction in
the next step and adapts the steps of the feet to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import torch

from ..motion.skeleton import CONTACT_JOINTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from ..motion.features import FeatureLayout

    Mask = NDArray[np.bool_]
    Map = Callable[[Tensor], Tensor]

FADE: Final = 10
"""Frames from a known one within which another motion takes over from the one that was there."""


@dataclass(frozen=True, slots=True, eq=False)
class Constraint:
    """What clean motions (B, T, F; normalised) must agree with.

    `known` (T, F) says which features are given, `values` (B, T, F) what they are. `gaps` are the rows of velocities
    between two known frames; `normalise` and `restore` lead between the network's numbers and metres.
    """

    known: Tensor
    values: Tensor
    gaps: tuple[slice, ...]
    normalise: Map
    restore: Map

    @classmethod
    def of(cls, layout: FeatureLayout, free: Mask, values: Tensor, normalise: Map, restore: Map) -> Self:
        """`free` (T, 22) as in `Canvas`; `values` (B, T, F) are the normalised features of the whole canvases."""
        known = torch.from_numpy(known_features(layout, free)).to(values.device)
        return cls(known, values, gaps(free[:, 0]), normalise, restore)

    def __call__(self, clean: Tensor) -> Tensor:
        """The motions nearest to `clean` (B, T, F) that agree."""
        agreed = torch.where(self.known, self.values, clean)
        if not self.gaps:
            return agreed
        features, wanted = self.restore(agreed), self.restore(self.values)
        for gap in self.gaps:
            _close(features[:, gap], wanted[:, gap])
        return torch.where(self.known, self.values, self.normalise(features))


def known_features(layout: FeatureLayout, free: Mask) -> Mask:
    """(T, F): the features that say something of joints that are not free (T, 22). Velocities lead to the next frame,
    so both must be known.
    """
    held = ~free
    return _of_joints(layout, held, held & np.concatenate([held[1:], held[-1:]]))


def gaps(free: Mask) -> tuple[slice, ...]:
    """The rows of velocities that lead from a known frame through free ones (T,) to a known one again."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], free, [False])).astype(np.int8))).reshape(-1, 2)
    return tuple(slice(int(a) - 1, int(b)) for a, b in edges if a > 0 and b < len(free))


def taken_over(layout: FeatureLayout, values: Tensor, other: Tensor, free: Mask) -> Tensor:
    """Normalised features (B, T, F) with those of `other` for joints that are free (T, 22), coming in gradually with
    the distance in time from where the joint is known: something of the right kind to start from, that fits its ends.
    """
    frames = np.arange(len(free))
    joints = np.zeros(free.shape)
    for joint in range(free.shape[1]):
        held = np.flatnonzero(~free[:, joint])
        far = np.abs(frames[:, None] - held).min(axis=1) if len(held) else np.full(len(frames), FADE)
        joints[:, joint] = np.clip(far / FADE, 0.0, 1.0)
    joints = joints * joints * (3.0 - 2.0 * joints)
    share = torch.from_numpy(_of_joints(layout, joints, joints).astype(np.float32)).to(values)
    return values + share * (other - values)


def _of_joints(layout: FeatureLayout, here: NDArray[Any], steps: NDArray[Any]) -> NDArray[Any]:
    """(T, F): for each feature what is said of its joint in `here` (T, 22), for velocities what `steps` says."""
    features = np.zeros((len(here), layout.size), here.dtype)
    features[:, layout.root] = np.concatenate([np.repeat(steps[:, :1], 3, axis=1), here[:, :1]], axis=1)
    features[:, layout.positions] = np.repeat(here[:, 1:], 3, axis=1)
    features[:, layout.velocities] = np.repeat(steps, 3, axis=1)
    features[:, layout.contacts] = here[:, list(CONTACT_JOINTS)]
    return features


def _close(rows: Tensor, wanted: Tensor) -> None:
    """Changes the velocities of the root in `rows` (B, n, F; metres), in place, so that they turn and travel as far as
    those in `wanted` do.
    """
    window = torch.hann_window(rows.shape[1] + 2, periodic=False, dtype=rows.dtype, device=rows.device)[1:-1]
    window = window / window.sum()
    rows[..., 0] += (wanted[..., 0] - rows[..., 0]).sum(dim=1, keepdim=True) * window
    x, z, cos, sin = _way(rows)
    goal_x, goal_z, _, _ = _way(wanted)
    lack_x, lack_z = ((goal - way).sum(dim=1, keepdim=True) * window for goal, way in ((goal_x, x), (goal_z, z)))
    rows[..., 1] += cos * lack_x - sin * lack_z
    rows[..., 2] += cos * lack_z + sin * lack_x


def _way(rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Each step (B, n) along x and z, seen from the heading at the first one, and the cosine and sine of the turn."""
    yaw = torch.cumsum(-2.0 * rows[..., 0], dim=1)
    cos, sin = yaw.cos(), yaw.sin()
    x, z = rows[..., 1], rows[..., 2]
    return cos * x + sin * z, cos * z - sin * x, cos, sin
