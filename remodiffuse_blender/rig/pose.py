# SPDX-License-Identifier: GPL-3.0-or-later
"""`Pose`: where the bones of a rig are in each frame, given what is set for some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat

if TYPE_CHECKING:
    from .rest_pose import RestPose

Array = NDArray[np.floating[Any]]


class Pose:
    """Rotations and heads of bones in armature space, worked out when asked for.

    `turned` holds the rotations (T, 4) and `placed` the heads (T, 3) that are set; every other bone is carried along
    at rest. Changing either after a bone that depends on it was asked for needs `place`. Channels count from the rest
    pose that the armature is bound in, where it stands otherwise (`RestPose.bound`).
    """

    def __init__(self, rest: RestPose, frames: int) -> None:
        self.rest = rest
        self.frames = frames
        self.turned: dict[int, Array] = {}
        self.placed: dict[int, Array] = {}
        self._rest_rotations = quat.from_matrix(rest.matrices[:, :3, :3])
        self._bound_rotations = quat.from_matrix(rest.bound.matrices[:, :3, :3]) if rest.bound else self._rest_rotations
        self._heads: dict[int, Array] = {}
        self._carried: dict[int, Array] = {}

    def rest_rotation(self, bone: int) -> Array:
        """(4)"""
        return self._rest_rotations[bone]

    def rotation(self, bone: int) -> Array:
        """(T, 4)"""
        if bone in self.turned:
            return self.turned[bone]
        if bone not in self._carried:
            carrier = self.rest.carriers[bone]
            inherits = carrier >= 0 and (self.rest.inherit_rotation[bone] or self.rest.copies[bone])
            still = np.broadcast_to(self.rest_rotation(bone), (self.frames, 4))
            self._carried[bone] = quat.multiply(self.turn(carrier), still) if inherits else still
        return self._carried[bone]

    def turn(self, bone: int) -> Array:
        """(T, 4): the rotation of a bone against its rest pose, armature axes."""
        return quat.multiply(self.rotation(bone), quat.conjugate(self.rest_rotation(bone)))

    def head(self, bone: int) -> Array:
        """(T, 3)"""
        if bone in self.placed:
            return self.placed[bone]
        if bone not in self._heads:
            self._heads[bone] = self._head_on(self.rest.carriers[bone], bone)
        return self._heads[bone]

    def place(self, bone: int, heads: Array) -> None:
        """Sets the heads (T, 3) of a bone when others may have been asked for already."""
        self.placed[bone] = heads
        self._heads.clear()

    def basis(self, bone: int) -> Array:
        """(T, 4): the rotation channel of a bone that has its rotation set."""
        parent = self.rest.parents[bone]
        rest = self._bound_rotations[bone]
        if parent >= 0 and self.rest.inherit_rotation[bone]:
            rest = quat.multiply(self._bound_turn(parent), rest)
        return quat.multiply(quat.conjugate(rest), self.turned[bone])

    def location(self, bone: int) -> Array:
        """(T, 3): the location channel of a bone that has its head set."""
        return self.location_of(bone, self.placed[bone] - self._head_on(self.rest.parents[bone], bone))

    def location_of(self, bone: int, vectors: Array) -> Array:
        """Vectors (T, 3) of armature space in the axes of a bone's location channel."""
        parent = self.rest.parents[bone]
        axes = self._bound_rotations[bone] if self.rest.local_location[bone] else np.array([1.0, 0.0, 0.0, 0.0])
        if parent >= 0:
            axes = quat.multiply(self._bound_turn(parent), axes)
        return quat.rotate(quat.conjugate(axes), vectors)

    def _bound_turn(self, bone: int) -> Array:
        """(T, 4): the rotation of a bone against the rest pose that it is bound in, armature axes."""
        return quat.multiply(self.rotation(bone), quat.conjugate(self._bound_rotations[bone]))

    def _head_on(self, carrier: int, bone: int) -> Array:
        heads = self.rest.heads
        if carrier < 0:
            return np.broadcast_to(heads[bone], (self.frames, 3))
        return self.head(carrier) + quat.rotate(self.turn(carrier), heads[bone] - heads[carrier])
