# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures that their object mirrors by a negative scale.

What such an armature calls left is seen on the right. So it is looked at in a mirror: rest pose and poses go through it
on the way in, channels on the way out, and in between it is an armature like any other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .channels import Channel
    from .rest_pose import RestPose

Array = NDArray[np.floating[Any]]

_ACROSS: Final = np.array([-1.0, 1.0, 1.0])
_TURN: Final = np.array([1.0, 1.0, -1.0, -1.0])
_FACTORS: Final = {
    "location": _ACROSS,
    "rotation_quaternion": _TURN,
    "rotation_axis_angle": _TURN,
    "rotation_euler": -_ACROSS,
}


def mirrors(world: Array) -> bool:
    """Whether an object's matrix (4, 4) turns left into right."""
    return bool(np.linalg.det(world[:3, :3]) < 0.0)


def matrices(across: NDArray[Any]) -> NDArray[Any]:
    """Matrices (..., 4, 4) of armature space in the mirror."""
    factors = np.append(_ACROSS, 1.0)
    return across * factors[:, None] * factors


def turns(across: Array) -> Array:
    """Rotations (..., 4) in the mirror."""
    return across * _TURN


def seen(rest: RestPose) -> RestPose:
    """The rest pose in the mirror, if its object is one."""
    if not mirrors(rest.world):
        return rest
    factors = np.append(_ACROSS, 1.0)
    return replace(
        rest,
        matrices=matrices(rest.matrices),
        tails=rest.tails * _ACROSS,
        world=rest.world * factors,
        pole_angles={bone: -angle for bone, angle in rest.pole_angles.items()},
        object_axes=rest.object_axes * _ACROSS,
        mirrored=True,
    )


def channel(one: Channel) -> Channel:
    """A bone's channel in the mirror; those of the object and of properties are the same on both sides."""
    factors = _FACTORS.get(one.path) if one.bone else None
    return one if factors is None else replace(one, values=one.values * factors)
