# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender does with channels, in a few lines: channels -> poses in armature space (no constraints)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.motion import quaternions as quat

if TYPE_CHECKING:
    from remodiffuse_blender.rig.channels import Channels
    from remodiffuse_blender.rig.rest_pose import RestPose

Array = NDArray[Any]


def heads(rest: RestPose, channels: Channels) -> dict[str, Array]:
    """The heads (T, 3) of all bones in armature space; quaternion channels only."""
    return poses(rest, channels)[0]


def turns(rest: RestPose, channels: Channels) -> dict[str, Array]:
    """The rotations (T, 4) of all bones against their rest pose, armature axes; quaternion channels only."""
    still = quat.from_matrix(rest.matrices[:, :3, :3])
    rotations = poses(rest, channels)[1]
    return {name: quat.multiply(rotations[name], quat.conjugate(still[bone])) for bone, name in enumerate(rest.names)}


def poses(rest: RestPose, channels: Channels) -> tuple[dict[str, Array], dict[str, Array]]:
    """Heads (T, 3) and rotations (T, 4) of all bones in armature space; quaternion channels only."""
    frames = len(channels.frames)
    values = {(channel.bone, channel.path): channel.values for channel in channels.channels}
    rotations: list[Array] = []
    places: list[Array] = []
    for bone, name in enumerate(rest.names):
        still = np.broadcast_to(quat.from_matrix(rest.matrices[bone, :3, :3]), (frames, 4))
        parent = rest.parents[bone]
        turn = np.broadcast_to(np.array([1.0, 0.0, 0.0, 0.0]), (frames, 4))
        place = np.broadcast_to(rest.heads[bone], (frames, 3))
        if parent >= 0:
            parent_still = quat.from_matrix(rest.matrices[parent, :3, :3])
            turn = quat.multiply(rotations[parent], quat.conjugate(parent_still))
            place = places[parent] + quat.rotate(turn, rest.heads[bone] - rest.heads[parent])
        carried = quat.multiply(turn, still)
        if (name, "location") in values:
            axes = carried if rest.local_location[bone] else turn
            place = place + quat.rotate(axes, values[name, "location"])
        base = carried if rest.inherit_rotation[bone] else still
        basis = values.get((name, "rotation_quaternion"), np.array([[1.0, 0.0, 0.0, 0.0]]))
        rotations.append(quat.multiply(base, basis))
        places.append(place)
    return dict(zip(rest.names, places, strict=True)), dict(zip(rest.names, rotations, strict=True))
