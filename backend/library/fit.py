# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a clip as long as a take: sampling that starts from a reference needs one of exactly that length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ..motion.contacts import detect_contacts
from ..motion.sequence import looped
from ..motion.skeleton import FPS

if TYPE_CHECKING:
    from numpy.typing import NDArray


MAX_STRETCH: Final = 1.25
"""How much slower or faster a motion may get; beyond that it looks wrong."""


def fits(frames: int, wanted: int) -> bool:
    """Whether a clip of `frames` frames becomes `wanted` frames long by stretching alone."""
    return 1 / MAX_STRETCH <= wanted / frames <= MAX_STRETCH


def fitted(
    positions: NDArray[np.float32], contacts: NDArray[np.float32], wanted: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Positions (T, 22, 3) and contacts (T, 4) as `wanted` frames: slower or faster by at most MAX_STRETCH.

    Where that is not enough a cycle of it is repeated, or its last pose held; or its end is cut off.
    """
    if wanted > len(positions) * MAX_STRETCH:
        longer = looped(positions, wanted)
        if longer is not None:
            positions = longer.astype(np.float32)
            contacts = detect_contacts(positions, FPS)
    last = len(positions) - 1
    speed = np.clip(last / max(wanted - 1, 1), 1 / MAX_STRETCH, MAX_STRETCH)
    places = np.minimum(np.arange(wanted) * speed, last)
    return _at(positions, places), _at(contacts, places)


def _at(track: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Values of (T, ...) between frames, linearly."""
    before = np.floor(places).astype(int)
    after = np.minimum(before + 1, len(track) - 1)
    share = (places - before).reshape(-1, *[1] * (track.ndim - 1))
    return (track[before] + share * (track[after] - track[before])).astype(np.float32)
