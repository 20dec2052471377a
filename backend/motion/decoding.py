# SPDX-License-Identifier: GPL-3.0-or-later
"""Features of any layout -> joints of the canonical skeleton at 20 fps: the door through which all motion comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from . import kit
from .features import FeatureLayout
from .skeleton import BONE_LENGTHS, FPS, INDEX, JOINTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating[Any]]

_LEGS: Final = tuple(
    tuple(INDEX[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")) for side in ("left", "right")
)
_MOST_SCALED: Final = 2.0


def supported(layout: FeatureLayout) -> bool:
    """Whether `decoded` knows a layout: the starter model's, or an official one."""
    return layout == FeatureLayout(rotations=False) or (
        layout.rotations and layout.joints in (len(JOINTS), len(kit.JOINTS))
    )


def decoded(layout: FeatureLayout, features: Array, frames: int) -> tuple[Array, Array]:
    """(T, size) -> positions (frames, 22, 3) in metres and contacts (frames, 4) at 20 fps.

    Only the starter's layout is on our skeleton already. Figures of others come with our joints and as large as ours,
    but with their own proportions: `rebuild.rebuilt` keeps the directions of their bones and gives them our lengths.
    """
    positions, contacts = layout.decode(features)
    if layout.joints == len(kit.JOINTS):
        positions, contacts = kit.canonical_joints(positions), kit.canonical_contacts(contacts)
    if layout.fps != FPS:
        positions, contacts = (resampled(track, layout.fps, frames) for track in (positions, contacts))
    if layout.rotations:
        positions = with_our_legs(positions)
    return positions, contacts


def resampled(track: Array, fps: float, frames: int) -> Array:
    """(T, ...) at `fps` -> (frames, ...) at 20 fps, through all given values and without kinks; the end is held."""
    times = np.minimum(np.arange(frames) * (fps / FPS), len(track) - 1)
    if len(track) < 2:
        return np.repeat(track, frames, axis=0)
    first = np.minimum(times.astype(int), len(track) - 2)
    share = (times - first).reshape(-1, *[1] * (track.ndim - 1))
    slopes = np.gradient(track, axis=0)
    start, end = track[first], track[first + 1]
    # Cubic Hermite interpolation with central differences.
    bend = (
        share
        * (1 - share)
        * ((1 - share) * (slopes[first] - (end - start)) + share * (end - start - slopes[first + 1]))
    )
    return start + share * (end - start) + bend


def with_our_legs(positions: Array) -> Array:
    """Scaled about the origin so that legs are as long as ours: then stride, height and travel fit our bones."""
    lengths = [np.linalg.norm(np.diff(positions[:, leg], axis=1), axis=-1).sum(axis=1) for leg in _LEGS]
    theirs = float(np.median(lengths))
    ours = float(BONE_LENGTHS[list(_LEGS[0][1:])].sum())
    # What is further off is no leg of a person.
    return positions * np.clip(ours / max(theirs, 1e-9), 1 / _MOST_SCALED, _MOST_SCALED)
