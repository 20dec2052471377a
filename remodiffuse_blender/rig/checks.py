# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a bone map draws a human figure, and which side of it is the left one. Geometry has the last word."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat
from . import names
from .bone_map import REQUIRED

if TYPE_CHECKING:
    from .rest_pose import RestPose

Array = NDArray[np.floating[Any]]

_TOE_VOTE: Final = 0.04  # of the leg's length: how far toes must point forwards to be believed
_KNEE_VOTE: Final = 0.025
_THUMB_VOTE: Final = 0.1  # of the forearm's length
_THUMBS: Final = ("thumb", "親指")
_HANDS: Final = 0.7  # of the legs' length below the hips
_LEVEL: Final = 0.5  # cosine
_UPRIGHT: Final = 0.8  # cosine


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
    return (
        in_order
        and upright
        and same_way
        and apart
        and _hands_free(head, hips - ankles)
        and all(map(_alike, *_segments(head)))
    )


def _hands_free(head: dict[str, Array], legs: Array) -> bool:
    """Whether the arms end well above the floor, given the way (3) from the ankles up to the hips: those of an animal
    with a long neck are legs.
    """
    hips = (head["left_hip"] + head["right_hip"]) / 2.0
    arms = [f"{side}_{joint}" for side in ("left", "right") for joint in ("elbow", "wrist")]
    return all(float((hips - head[arm]) @ legs) < _HANDS * float(legs @ legs) for arm in arms if arm in head)


def is_seated(head: dict[str, Array], upright: Array) -> bool:
    """Whether joint positions sit like a person: thighs forwards, shins down, the trunk upright in the world, whose
    vertical is `upright` (3). A four-legged animal's hind legs look alike, but its back is level.
    """
    if any(joint not in head for joint in REQUIRED):
        return False
    hips, knees, ankles, shoulders = (
        (head[f"left_{joint}"] + head[f"right_{joint}"]) / 2.0 for joint in ("hip", "knee", "ankle", "shoulder")
    )
    up, thigh, shin = (quat.unit(step) for step in (head["head"] - hips, knees - hips, knees - ankles))
    ahead = np.cross(head["left_hip"] - head["right_hip"], up)
    level = abs(float(thigh @ up)) < _LEVEL and abs(float(thigh @ quat.unit(ahead))) > _LEVEL
    above = float((hips - ankles) @ up) > 0.0 and float((shoulders - hips) @ up) > 0.0
    hanging = float(shin @ up) > _UPRIGHT and float(up @ quat.unit(upright)) > _UPRIGHT
    return level and above and hanging and all(map(_alike, *_segments(head)))


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


def thumbs_vote(rest: RestPose, joints: dict[str, int]) -> float:
    """As `facing_vote`, of hands that tell: thumbs point forwards in the T-pose, and when arms hang down as well."""
    head = {joint: rest.heads[bone] for joint, bone in joints.items()}
    hips = (head["left_hip"] + head["right_hip"]) / 2.0
    forwards = quat.unit(np.cross(head["left_hip"] - head["right_hip"], head["head"] - hips))
    votes = []
    for bone, name in enumerate(rest.names):
        for side in ("left", "right"):
            wrist = joints.get(f"{side}_wrist", -1)
            if wrist in rest.carried_by(bone) and any(word in names.key(name) for word in _THUMBS):
                forearm = float(np.linalg.norm(head[f"{side}_wrist"] - head[f"{side}_elbow"]))
                votes.append(float((rest.heads[bone] - head[f"{side}_wrist"]) @ forwards) / forearm)
    return float(np.sign(np.mean(votes))) if votes and abs(float(np.mean(votes))) > _THUMB_VOTE else 0.0


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
