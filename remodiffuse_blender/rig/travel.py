# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of the hips, and which bone (or the object) carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat
from .body import ANKLE_HEIGHT
from .chains import SPINE
from .options import Travel

if TYPE_CHECKING:
    from .body import Body
    from .pose import Pose
    from .source import Source

Array = NDArray[np.floating[Any]]


def place_hips(body: Body, pose: Pose, source: Source, path: Array, travel: Travel) -> int:
    """Places the bone that moves the hips, so that they go where the motion's hips go. With `Travel.ROOT` the root
    bone, if there is one, goes along the `path` (T, 3; armature space), and the hips only sway and bob. Returns the
    bone that moves the hips.
    """
    rest = body.rest
    way = body.scale * (source.hips - [0.0, ANKLE_HEIGHT, 0.0]) + [0.0, body.ankle_height, 0.0]
    middle = body.origin + way @ body.to_armature.T

    pelvis = body.joints["pelvis"]
    arm = body.hips_middle() - rest.heads[pelvis]
    head = middle - quat.rotate(pose.turn(pelvis), arm)
    carrier = _hips_bone(body)
    pose.placed[carrier] = head if carrier == pelvis else rest.heads[carrier] + head - rest.heads[pelvis]
    if travel is Travel.ROOT and (root := root_bone(body)) >= 0:
        pose.place(root, rest.heads[root] + path)
    return carrier


def root_bone(body: Body) -> int:
    """The topmost bone that carries the hips and can be moved, -1 if there is none above them."""
    rest = body.rest
    above = [bone for bone in rest.carried_by(_hips_bone(body)) if not rest.connected[bone] and not rest.copies[bone]]
    return above[-1] if above else -1


def travelling(pose: Pose, path: Array) -> dict[int, Array]:
    """For each bone that goes along the path (T, 3) by itself, the path in its location channels. What another such
    bone carries moves along anyway.
    """
    return {
        bone: pose.location_of(bone, path)
        for bone in pose.placed
        if not any(above in pose.placed for above in pose.rest.carried_by(bone))
    }


def _hips_bone(body: Body) -> int:
    """The pelvis, or the bone above it that the spine hangs on as well; never one that is connected to its parent."""
    rest, pelvis = body.rest, body.joints["pelvis"]
    spine = next(body.joints[joint] for joint in SPINE if joint in body.joints)
    above = [spine, *rest.carried_by(spine)]
    candidates = [bone for bone in (pelvis, *rest.carried_by(pelvis)) if bone in above and not rest.connected[bone]]
    return candidates[0] if candidates else pelvis
