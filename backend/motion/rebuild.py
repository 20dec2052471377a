# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model predicts becomes a `Motion`: bones of the right length, feet that stay where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .clip import Motion
from .contacts import detect_contacts, held_contacts, lock_feet
from .features import smooth
from .floor import above_floor
from .rotations import forward_kinematics, rotations_from_positions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating[Any]]

SMOOTHING: Final = 0.7
"""Frames (sigma): takes the tremble out of what a network predicts frame by frame, and leaves kicks and steps alone."""

_STANDS: Final = 0.5


def rebuilt(positions: Array, contacts: Array, fps: float) -> Motion:
    """A motion on the canonical skeleton from positions (T, 22, 3) and contacts (T, 4) that are only nearly one.

    Its contacts are those that the foot lock held and that still look like standing afterwards.
    """
    levels = np.clip(contacts, 0.0, 1.0).astype(np.float32)
    calm = above_floor(smooth(positions, SMOOTHING))
    posed = forward_kinematics(rotations_from_positions(calm), calm[:, 0])
    locked = lock_feet(posed, levels, fps)
    # Once more from the locked joints, so that rotations and positions say the same to the last bit.
    rotations = rotations_from_positions(locked)
    root = locked[:, 0].astype(np.float32)
    held = held_contacts(posed, levels, fps) * (detect_contacts(locked, fps) > _STANDS)
    return Motion(fps, forward_kinematics(rotations, root), rotations, root, held)
