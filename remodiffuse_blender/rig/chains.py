# SPDX-License-Identifier: GPL-3.0-or-later
"""Spines and necks of any number of bones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ..shared import skeleton
from .trunk import between

if TYPE_CHECKING:
    from .body import Body

SPINE: Final = ("spine1", "spine2", "spine3")


def spine_shares(body: Body) -> dict[int, dict[str, float]]:
    """For each bone of the rig's spine the shares of the three canonical spine joints in its rotation.

    Both spines are laid side by side from the first spine joint to the neck, and each bone takes what lies beside it.
    """
    mapped = [body.joints[joint] for joint in SPINE if joint in body.joints]
    top = body.joints["neck" if "neck" in body.joints else "head"]
    bones = between(body.rest, mapped[0], top)
    bones = [mapped[0], *bones] if set(mapped) <= {mapped[0], *bones} else mapped
    heads = body.rest.heads[[*bones, top]]
    rig = _marks(np.linalg.norm(np.diff(heads, axis=0), axis=1))
    lengths = skeleton.BONE_LENGTHS[[skeleton.INDEX[joint] for joint in ("spine2", "spine3", "neck")]]
    canonical = _marks(lengths)
    shares: dict[int, dict[str, float]] = {}
    for index, bone in enumerate(bones):
        start, end = rig[index], max(rig[index + 1], rig[index] + 1e-6)
        overlap = np.minimum(end, canonical[1:]) - np.maximum(start, canonical[:-1])
        overlap = np.maximum(overlap, 0.0)
        if not overlap.any():
            overlap[-1] = 1.0
        shares[bone] = dict(zip(SPINE, (overlap / overlap.sum()).tolist(), strict=True))
    return shares


def neck_bones(body: Body) -> list[int]:
    """The bones between the one mapped to the neck and the head: they turn with the neck."""
    if "neck" not in body.joints:
        return []
    return between(body.rest, body.joints["neck"], body.joints["head"])


def ancestors(joint: str) -> list[str]:
    """The joints that carry a joint, nearest first."""
    found, index = [], skeleton.INDEX[joint]
    while (index := skeleton.PARENTS[index]) >= 0:
        found.append(skeleton.JOINTS[index])
    return found


def _marks(lengths: np.ndarray) -> np.ndarray:
    """Ends of the pieces of a chain as shares of its whole length, from 0 to 1."""
    marks = np.concatenate(([0.0], np.cumsum(lengths)))
    return marks / max(marks[-1], 1e-12)
