# SPDX-License-Identifier: GPL-3.0-or-later
"""`Options`: what an animator may choose about how a motion is put on a rig."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Travel(StrEnum):
    """What carries the way along the ground."""

    HIPS = "HIPS"
    ROOT = "ROOT"
    OBJECT = "OBJECT"


class Start(StrEnum):
    """Where the motion begins: where the armature stands and faces, or at the world's origin, facing -Y."""

    HERE = "HERE"
    ORIGIN = "ORIGIN"


class Limbs(StrEnum):
    """Which controls of a control rig get the limbs' keys."""

    FK = "FK"
    IK = "IK"


class Fingers(StrEnum):
    """A pose for the fingers, of which the motion knows nothing."""

    KEEP = "KEEP"
    RELAXED = "RELAXED"
    FIST = "FIST"
    FLAT = "FLAT"


@dataclass(frozen=True)
class Options:
    """`stride` and `vertical` are factors on top of the leg's length, for the way along the ground and for ups and
    downs. `foot_lock` is the strength (0..1) of what is done so that feet in contact stay where they are.
    """

    travel: Travel = Travel.HIPS
    in_place: bool = False
    start: Start = Start.HERE
    stride: float = 1.0
    vertical: float = 1.0
    foot_lock: float = 1.0
    limbs: Limbs = Limbs.FK
    fingers: Fingers = Fingers.KEEP


DEFAULT = Options()
