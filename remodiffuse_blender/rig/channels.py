# SPDX-License-Identifier: GPL-3.0-or-later
"""`Channels`: solved motion as animation channels of pose bones, ready to be written as keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


OBJECT: Final[tuple[str, str]] = ("", "location")
"""Bone and path of the channel that moves the armature object itself."""


@dataclass(frozen=True, eq=False)
class Channel:
    """One property of one bone: `path` is relative to the pose bone ("rotation_quaternion", '["IK_FK"]'); without a
    bone it is one of the object's own.

    `values` (frames, n) has a column for each component of the property; a single row means a constant.
    `unit` is how long a metre of the motion is in a location.
    """

    bone: str
    path: str
    values: Array
    unit: float = 1.0


@dataclass(frozen=True, eq=False)
class Channels:
    """All channels of one take on one rig; row i of a channel is the pose `frames[i]` frames after the start.

    `travel` is the part of the location channels that goes along the ground: with it a motion in place (`in_place`)
    travels again, and without it one that travels stays in place.
    """

    frames: Array
    channels: tuple[Channel, ...]
    travel: tuple[Channel, ...] = ()
    in_place: bool = False
