# SPDX-License-Identifier: GPL-3.0-or-later
"""Twist bones: each gets its share of the twist of the upper arm or thigh that it belongs to.

Without them an arm that turns about itself wrings the shoulder. Forearms and shins need no share, for the motion says
nothing of how a hand turns against its forearm.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat
from . import names

if TYPE_CHECKING:
    from .body import Body
    from .pose import Pose

Array = NDArray[np.floating[Any]]

_LIMBS: Final = tuple(
    (f"{side}_{upper}", f"{side}_{lower}")
    for side in ("left", "right")
    for upper, lower in (("shoulder", "elbow"), ("hip", "knee"))
)
_TWIST: Final = re.compile("twist|roll|捩|捻")
_OFF_LINE: Final = 0.03  # of the limb's length; what lies further off its line would swing, not twist
_BESIDE: Final = 0.2  # the same for a twist bone that carries nothing
_MOST: Final = np.radians(150.0)


def share_twist(body: Body, pose: Pose) -> None:
    """Sets the rotation of twist bones, and takes the twist out of limb bones that are followed by one, in place."""
    for upper, lower in _LIMBS:
        bone, end = body.joints[upper], body.joints[lower]
        inside, beside = _within(body, bone, end), _beside(body, bone, end)
        if not inside and not beside:
            continue
        rest = body.rest
        axis = quat.unit(rest.heads[end] - rest.heads[bone])
        carrier = rest.carriers[bone]
        above = pose.turn(carrier) if carrier >= 0 else np.array([1.0, 0.0, 0.0, 0.0])
        turned = quat.multiply(quat.conjugate(above), pose.turn(bone))
        twist = _twist(turned, axis)
        swing = quat.multiply(turned, quat.about(axis, -twist))
        twist = np.clip(np.unwrap(twist), -_MOST, _MOST)

        shares = {one: place / len(inside) for place, one in enumerate((bone, *inside))} if inside else {}
        shares |= {one: _along(body, bone, end, one) for one in beside}
        for one, share in shares.items():
            turn = quat.multiply(above, quat.multiply(swing, quat.about(axis, share * twist)))
            # Cut off beyond what a joint can twist; the limb itself keeps all of it.
            turn = quat.multiply(above, turned) if share == 1.0 else turn
            pose.turned[one] = quat.multiply(turn, pose.rest_rotation(one))


def _within(body: Body, bone: int, end: int) -> list[int]:
    """Bones on the way from the limb's bone to the next joint, in one line with it, top first."""
    rest = body.rest
    chain = rest.carried_by(end)
    if bone not in chain:
        return []
    way = [one for one in reversed(chain[: chain.index(bone)]) if rest.free(one)]
    on_line = all(_offset(body, bone, end, one) < _OFF_LINE for one in way)
    return way if on_line and not set(way) & set(body.joints.values()) else []


def _beside(body: Body, bone: int, end: int) -> list[int]:
    """Twist bones that hang on the limb's bone and carry no other joint."""
    rest = body.rest
    carriers = {above for joint in body.joints.values() for above in rest.carried_by(joint)}
    return [
        one
        for one, parent in enumerate(rest.parents)
        if parent == bone
        and rest.free(one)
        and one not in carriers
        and one not in body.joints.values()
        and _TWIST.search(names.key(rest.names[one]))
        and _offset(body, bone, end, one) < _BESIDE
    ]


def _along(body: Body, bone: int, end: int, one: int) -> float:
    """Where on the limb a bone starts, from 0 to 1."""
    line = body.rest.heads[end] - body.rest.heads[bone]
    place = body.rest.heads[one] - body.rest.heads[bone]
    return float(np.clip(place @ line / max(line @ line, 1e-12), 0.0, 1.0))


def _offset(body: Body, bone: int, end: int, one: int) -> float:
    """How far a bone starts off the limb's line, in lengths of the limb."""
    line = body.rest.heads[end] - body.rest.heads[bone]
    place = body.rest.heads[one] - body.rest.heads[bone]
    length = max(float(np.linalg.norm(line)), 1e-12)
    return float(np.linalg.norm(place - _along(body, bone, end, one) * line)) / length


def _twist(turned: Array, axis: Array) -> Array:
    """The angle (T) about `axis` that rotations (T, 4) twist by before they swing, within half a turn."""
    angle = 2.0 * np.arctan2(turned[..., 1:] @ axis, turned[..., 0])
    return (angle + np.pi) % (2.0 * np.pi) - np.pi
