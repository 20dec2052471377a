# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a bone map draws a human figure, and which side of it is the left one. Geometry has the last word."""

from __future__ import annotations

import itertools
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .bone_map import REQUIRED

Array = NDArray[np.floating[Any]]

_TOE_VOTE: Final = 0.04  # of the leg's length: how far toes must point forwards to be believed
_KNEE_VOTE: Final = 0.025


def is_human(head: dict[str, Array]) -> bool:
    """Whether joint positions (in armature space) stand like a person: legs below, head above, sides apart."""
    if any(joint not in head for joint in REQUIRED):
        return False
    hips = (head["left_hip"] + head["right_hip"]) / 2.0
    shoulders = (head["left_shoulder"] + head["right_shoulder"]) / 2.0
    ankles = (head["left_ankle"] + head["right_ankle"]) / 2.0
    knees = (head["left_knee"] + head["right_knee"]) / 2.0
    torso, leg = float(np.linalg.norm(head["head"] - hips)), float(np.linalg.norm(ankles - hips))
    if min(torso, leg) < 1e-6 or not 0.15 < leg / torso < 6.0:
        return False
    up = (head["head"] - hips) / torso
    heights = [float(point @ up) for point in (ankles, knees, hips, shoulders, head["head"])]
    in_order = all(low < high for low, high in itertools.pairwise(heights)) and heights[2] < heights[4]
    # A four-legged animal's back is level while its legs hang down.
    upright = float((hips - ankles) @ up) > 0.75 * leg
    across = [head[f"left_{joint}"] - head[f"right_{joint}"] for joint in ("hip", "shoulder", "elbow")]
    same_way = all(float(one @ across[0]) > 0.0 for one in across[1:])
    apart = all(abs(float(one @ up)) < 0.7 * float(np.linalg.norm(one)) for one in across)
    return in_order and upright and same_way and apart and all(map(_alike, *_segments(head)))


def facing_vote(head: dict[str, Array]) -> float:
    """Above 0 if the joints called left lie on the body's left, below 0 if on its right, 0 if nothing tells.

    Toes point forwards; where there are none, knees bend forwards.
    """
    hips = (head["left_hip"] + head["right_hip"]) / 2.0
    up = head["head"] - hips
    forwards = np.cross(head["left_hip"] - head["right_hip"], up)
    forwards = forwards / max(float(np.linalg.norm(forwards)), 1e-12)
    toes, knees = [], []
    for side in ("left", "right"):
        hip, knee, ankle = (head[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
        leg = max(float(np.linalg.norm(ankle - hip)), 1e-12)
        if f"{side}_foot" in head:
            toes.append(float((head[f"{side}_foot"] - ankle) @ forwards) / leg)
        line = (ankle - hip) / leg
        bulge = (knee - hip) - ((knee - hip) @ line) * line
        knees.append(float(bulge @ forwards) / leg)
    for votes, least in ((toes, _TOE_VOTE), (knees, _KNEE_VOTE)):
        if votes and abs(float(np.mean(votes))) > least:
            return float(np.sign(np.mean(votes)))
    return 0.0


def _segments(head: dict[str, Array]) -> tuple[list[float], list[float]]:
    """Lengths of the limb segments of the left and of the right side."""
    pairs = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"))
    left, right = (
        [float(np.linalg.norm(head[f"{side}_{a}"] - head[f"{side}_{b}"])) for a, b in pairs]
        for side in ("left", "right")
    )
    return left, right


def _alike(one: float, other: float) -> bool:
    return min(one, other) > 1e-6 and 0.6 < one / other < 1.0 / 0.6
