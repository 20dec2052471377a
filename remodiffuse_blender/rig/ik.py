# SPDX-License-Identifier: GPL-3.0-or-later
"""Limbs that the rig itself moves by inverse kinematics: their targets and poles are put where the limb should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..shared import quaternions as quat

if TYPE_CHECKING:
    from .body import Body
    from .pose import Pose

_LIMBS: Final = (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))


def drive_ik(body: Body, pose: Pose) -> set[int]:
    """Sets targets and poles, given limbs that are turned already. Returns the bones that need no keys of their own.

    A target moves with the foot or hand, as if it were a part of it, and a pole with the upper limb.
    """
    rest = body.rest
    without_keys: set[int] = set()
    for side in ("left", "right"):
        for names in _LIMBS:
            joints = [f"{side}_{name}" for name in names]
            if any(joint not in body.joints for joint in joints) or body.joints[joints[1]] not in rest.ik:
                continue
            upper, lower, end = (body.joints[joint] for joint in joints)
            target, pole = rest.ik[lower]
            heads = rest.heads
            elbow = pose.head(lower)
            wrist = elbow + quat.rotate(pose.turn(lower), heads[end] - heads[lower])
            turn, swing = pose.turn(end), pose.turn(upper)
            pose.turned[target] = quat.multiply(turn, pose.rest_rotation(target))
            pose.place(target, wrist + quat.rotate(turn, heads[target] - heads[end]))
            if pole >= 0:
                pose.place(pole, elbow + quat.rotate(swing, heads[pole] - heads[lower]))
            without_keys |= {upper, lower}
    return without_keys
