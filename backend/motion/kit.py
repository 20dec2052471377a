# SPDX-License-Identifier: GPL-3.0-or-later
"""KIT-ML's skeleton (21 joints of the Master Motor Map) on ours.

The joints are called by their names in KIT-ML's source files; L and R are the person's own. HumanML3D's tools read
these files with one axis flipped, so that in the features the joints named L lie at the figure's right (they take
joint 11, LH, for the right hip). Mirroring X puts them back: a caption's left arm is our left arm.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .skeleton import INDEX, REST_OFFSETS

Array = NDArray[np.floating[Any]]

# fmt: off
JOINTS: Final = (
    "root", "BP", "BT", "BLN", "BUN",  # pelvis, lower spine, thorax, base of the neck, base of the skull
    "LS", "LE", "LW", "RS", "RE", "RW",  # shoulder, elbow, wrist
    "LH", "LK", "LA", "LMrot", "LF", "RH", "RK", "RA", "RMrot", "RF",  # hip, knee, ankle, heel, toe
)
# fmt: on
FPS: Final = 12.5
UNIT: Final = 0.75 / 480
"""Metres in one unit of length of the features: 480 units are about 0.75 m."""

CONTACT_JOINTS: Final = tuple(JOINTS.index(name) for name in ("RMrot", "RF", "LMrot", "LF"))
"""Heels and toes, in the order of the contact channels."""

JOINT_MAP: Final = {
    "pelvis": "root",
    "neck": "BLN",
    "head": "BUN",
    "left_shoulder": "LS",
    "left_elbow": "LE",
    "left_wrist": "LW",
    "right_shoulder": "RS",
    "right_elbow": "RE",
    "right_wrist": "RW",
    "left_hip": "LH",
    "left_knee": "LK",
    "left_ankle": "LA",
    "left_foot": "LF",
    "right_hip": "RH",
    "right_knee": "RK",
    "right_ankle": "RA",
    "right_foot": "RF",
}
"""Ours -> KIT-ML's. The spine is sampled along root, BP, BT, BLN; collars lie between spine and shoulder."""

_SPINE: Final = ("spine1", "spine2", "spine3", "neck")


def canonical_joints(positions: Array) -> Array:
    """(T, 21, 3) as decoded -> (T, 22, 3): our joints, KIT-ML's proportions."""
    source = positions * [-1.0, 1.0, 1.0]
    result = np.empty((len(source), len(INDEX), 3))
    for ours, theirs in JOINT_MAP.items():
        result[:, INDEX[ours]] = source[:, JOINTS.index(theirs)]

    # Where our joints lie between pelvis and neck, by height in the rest pose.
    heights = np.cumsum(REST_OFFSETS[[INDEX[name] for name in _SPINE], 1])
    collar = REST_OFFSETS[INDEX["left_collar"]]
    places = [*heights[:-1], heights[2] + collar[1]] / heights[-1]
    *vertebrae, root_of_collars = _along(source[:, : JOINTS.index("BLN") + 1], places)
    for name, joint in zip(_SPINE, vertebrae, strict=False):
        result[:, INDEX[name]] = joint
    share = collar[0] / (collar[0] + REST_OFFSETS[INDEX["left_shoulder"], 0])
    for side in ("left", "right"):
        shoulder = result[:, INDEX[f"{side}_shoulder"]]
        result[:, INDEX[f"{side}_collar"]] = root_of_collars + share * (shoulder - root_of_collars)
    return result


def canonical_contacts(contacts: Array) -> Array:
    """(T, 4) of the features -> left ankle, left toe, right ankle, right toe; theirs begin with joints 19 and 20."""
    return contacts[:, [2, 3, 0, 1]]


def _along(line: Array, places: Array) -> list[Array]:
    """Points (T, 3) on polylines (T, n, 3) at shares `places` of their length."""
    lengths = np.linalg.norm(np.diff(line, axis=1), axis=-1)
    ends = np.cumsum(lengths, axis=1)
    points = []
    for place in places:
        way = place * ends[:, -1:]
        segment = np.minimum((ends < way).sum(axis=1), lengths.shape[1] - 1)
        rows = np.arange(len(line))
        before = ends[rows, segment] - lengths[rows, segment]
        share = (way[:, 0] - before) / np.maximum(lengths[rows, segment], 1e-9)
        start = line[rows, segment]
        points.append(start + share[:, None] * (line[rows, segment + 1] - start))
    return points
