# SPDX-License-Identifier: GPL-3.0-or-later
"""The joints' rotations, read off the bones of a rig: what `solve` does, the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat
from ..shared import skeleton
from .chains import SPINE, spine_shares
from .feet import unrolled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .body import Body

Array = NDArray[np.floating[Any]]

_INDEX: Final = skeleton.INDEX
_STIFF: Final = 1e-3  # how much less a bend within the spine counts than what its bones show
_STILL: Final = np.array([1.0, 0.0, 0.0, 0.0])


def world_rotations(body: Body, bones: Mapping[str, int], turned: Mapping[str, Array], local: Array) -> Array:
    """The rotations (T, 22, 4) of all joints against the T-pose, canonical axes.

    `bones` are the rig's bones by joint and `turned` (T, 4) their rotations in armature space. A joint that the rig has
    no bone for is turned against its parent by `local` (T, 22, 4).
    """
    axes = quat.from_matrix(body.axes)
    read = {}
    for joint, bone in bones.items():
        rest = quat.from_matrix(body.rest.matrices[bone, :3, :3])
        straight = quat.multiply(body.corrections[joint], quat.multiply(quat.conjugate(axes), rest))
        read[joint] = quat.multiply(quat.conjugate(axes), quat.multiply(turned[joint], quat.conjugate(straight)))
    read |= _spine(body, read)
    world = np.empty((len(local), len(skeleton.JOINTS), 4))
    for index, (joint, parent) in enumerate(zip(skeleton.JOINTS, skeleton.PARENTS, strict=True)):
        above = world[:, parent] if parent >= 0 else _STILL
        world[:, index] = read[joint] if joint in read else quat.multiply(above, local[:, index])
    return unrolled(body, world)


def local_rotations(world: Array) -> Array:
    """World rotations (T, 22, 4) of the joints, each against its parent."""
    parents = list(skeleton.PARENTS[1:])
    local = world.copy()
    local[:, 1:] = quat.multiply(quat.conjugate(world[:, parents]), world[:, 1:])
    return local


def _spine(body: Body, read: Mapping[str, Array]) -> dict[str, Array]:
    """The three spine joints (T, 4), given those of the rig's bones: each of these took its share of theirs."""
    shares = spine_shares(body)
    carries_the_legs = body.rest.carried_by(body.joints["left_hip"])
    bones = [
        (shares[bone], read[joint])
        for joint in SPINE
        if joint in read and (bone := body.joints[joint]) in shares and bone not in carries_the_legs
    ]
    if not bones:
        return {}
    # Neighbours in a spine differ little, so that means of quaternions are means of rotations.
    seen = np.stack([turn for _, turn in bones])
    seen = seen * np.where(np.sum(seen * seen[:1], axis=-1, keepdims=True) < 0.0, -1.0, 1.0)
    weights = np.array([[share[joint] for joint in SPINE] for share, _ in bones])
    bends = np.diff(np.eye(len(SPINE)), axis=0)
    inverse = np.linalg.inv(weights.T @ weights + _STIFF * bends.T @ bends) @ weights.T
    found = quat.unit(np.tensordot(inverse, seen, axes=1))
    return dict(zip(SPINE, found, strict=True))
