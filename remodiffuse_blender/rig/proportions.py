# SPDX-License-Identifier: GPL-3.0-or-later
"""What is odd about a figure's build, in sentences, and what the animator will see of it. Pure numpy."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from ..shared import skeleton
from .body import ANKLE_HEIGHT, LEG_LENGTH

if TYPE_CHECKING:
    from .body import Body

_INDEX: Final = skeleton.INDEX
_LEGS: Final = ("hip", "knee", "ankle")
_ARMS: Final = ("shoulder", "elbow", "wrist")
_TRUNK: Final = float(np.diff(skeleton.rest_positions()[[_INDEX["left_hip"], _INDEX["left_shoulder"]], 1])[0])
_SHARE: Final = 0.07  # of the leg's length
_RATIO: Final = 1.35
_LONG_FEET: Final = 1.5
_HIGH_ANKLES: Final = 2.0
_UNEQUAL: Final = 0.03


def remarks(body: Body) -> list[str]:
    """Sentences on legs, feet, arms and trunk that are built otherwise than the motion's, against the legs' length."""
    found: list[str] = []
    legs = [_length(body, side, _LEGS) for side in ("left", "right")]
    longer = max(legs) / min(legs) - 1.0
    if longer > _UNEQUAL:
        found.append(f"One leg is {100 * longer:.0f} % longer than the other: it stays bent a little more.")
    thigh = float(np.mean([_length(body, side, _LEGS[:2]) for side in ("left", "right")])) / LEG_LENGTH
    ours = _ours(_LEGS[:2]) / LEG_LENGTH
    if abs(thigh - ours) > _SHARE:
        found.append(
            f"The thighs are {100 * thigh:.0f} % of the legs, the motion's {100 * ours:.0f} %: where feet are held on "
            "the floor, legs bend otherwise."
        )
    feet = [np.linalg.norm(body.flat_foot(side)) / body.scale for side in ("left", "right") if body.has_toe(side)]
    foot = float(np.mean(feet)) / float(skeleton.BONE_LENGTHS[_INDEX["left_foot"]]) if feet else 1.0
    if foot > _LONG_FEET:
        found.append(f"The feet are {foot:.1f} times as long as the motion's against the legs: they roll less.")
    ankle = body.ankle_height / body.scale / ANKLE_HEIGHT
    if ankle > _HIGH_ANKLES:
        found.append(
            f"The ankles are {ankle:.1f} times as high as the motion's against the legs: they sway as feet roll."
        )
    if all(f"{side}_{joint}" in body.joints for side in ("left", "right") for joint in _ARMS):
        arm = float(np.mean([_length(body, side, _ARMS) for side in ("left", "right")])) / _ours(_ARMS)
        if not 1.0 / _RATIO < arm < _RATIO:
            found.append(
                f"The arms are {arm:.1f} times as long as the motion's against the legs: hands end in other places."
            )
    shoulders = (body.head("left_shoulder") + body.head("right_shoulder")) / 2.0
    trunk = float(np.linalg.norm(shoulders - body.hips_middle())) / body.scale / _TRUNK
    if not 1.0 / _RATIO < trunk < _RATIO:
        found.append(
            f"The trunk is {trunk:.1f} times as long as the motion's against the legs: hands may miss hips and head."
        )
    return found


def _length(body: Body, side: str, joints: tuple[str, ...]) -> float:
    """From the first joint to the last one along the limb, canonical metres."""
    heads = [body.head(f"{side}_{joint}") for joint in joints]
    return float(sum(np.linalg.norm(b - a) for a, b in pairwise(heads))) / body.scale


def _ours(joints: tuple[str, ...]) -> float:
    return float(sum(skeleton.BONE_LENGTHS[_INDEX[f"left_{joint}"]] for joint in joints[1:]))
