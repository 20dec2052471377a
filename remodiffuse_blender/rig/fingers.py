# SPDX-License-Identifier: GPL-3.0-or-later
"""Finger poses, for rigs that have fingers: the motion itself says nothing of hands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat
from . import names
from .channels import Channel
from .options import Fingers
from .rotation_modes import in_modes, property_of

if TYPE_CHECKING:
    from .body import Body
    from .rest_pose import RestPose

Array = NDArray[np.floating[Any]]

_CURLS: Final = {
    Fingers.RELAXED: ((18.0, 26.0, 16.0), (8.0, 12.0, 10.0)),
    Fingers.FIST: ((78.0, 92.0, 64.0), (24.0, 38.0, 48.0)),
    Fingers.FLAT: ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
}
"""Degrees towards the palm at the joints of a finger and of the thumb, against a straight finger."""
_FINGER: Final = re.compile("thumb|index|middle|mid|ring|pinky|pinkie|little|finger|親指|人指|人差指|中指|薬指|小指")
_THUMB: Final = re.compile("thumb|親指")
_HIDDEN: Final = ("mch", "org", "def", "vis")
_ROOT: Final = 0.4  # of the way to the next bone: what starts nearer to the wrist is a bone of the palm
_REACH: Final = 1.1  # of the forearm's length: no finger starts further from the wrist


def finger_channels(body: Body, fingers: Fingers) -> list[Channel]:
    """Constant rotations of all finger bones for a pose; none for `Fingers.KEEP` or a rig without fingers."""
    if fingers is Fingers.KEEP:
        return []
    channels = []
    for side in ("left", "right"):
        hand = _hand(body, side)
        palm = _palm(body, side, hand)
        for chain in hand:
            thumb = bool(_THUMB.search(names.key(body.rest.names[chain[0]])))
            degrees = _CURLS[fingers][thumb][: len(chain)]
            channels += _curled(body.rest, chain, palm, np.radians(degrees))
    return channels


def _hand(body: Body, side: str) -> list[list[int]]:
    """The fingers' bones, chain by chain, knuckles first, without bones of the palm and beyond the last joint."""
    if f"{side}_wrist" not in body.joints:
        return []
    rest, wrist = body.rest, body.joints[f"{side}_wrist"]
    middle = rest.heads[wrist]
    forearm = float(np.linalg.norm(middle - body.head(f"{side}_elbow")))
    chains: list[list[int]] = []
    bones = [bone for bone in range(len(rest.names)) if _is_finger(rest, bone, wrist, side)]
    for root in (bone for bone in bones if _above(rest, bone, bones) < 0):
        chain = [root]
        while (after := [bone for bone in bones if _above(rest, bone, bones) == chain[-1]]) and len(after) == 1:
            chain += after
        if len(chain) > 1 and np.linalg.norm(rest.heads[root] - middle) < _REACH * forearm:
            start, following = (float(np.linalg.norm(rest.heads[bone] - middle)) for bone in chain[:2])
            in_palm = len(chain) > 2 and start < _ROOT * following and not _THUMB.search(names.key(rest.names[root]))
            chains.append(chain[in_palm : in_palm + 3])
    return chains


def _is_finger(rest: RestPose, bone: int, wrist: int, side: str) -> bool:
    name = names.read(rest.names[bone])
    key = names.key(rest.names[bone])
    if not _FINGER.search(key) or "master" in key or key.startswith(_HIDDEN) or not rest.free(bone):
        return False
    return not name.helper and (name.side == side or (not name.side and wrist in rest.carried_by(bone)))


def _above(rest: RestPose, bone: int, bones: list[int]) -> int:
    return next((one for one in rest.carried_by(bone) if one in bones), -1)


def _palm(body: Body, side: str, hand: list[list[int]]) -> Array:
    """The direction (3) that the palm looks in at rest, armature space."""
    rest = body.rest
    along = quat.unit(body.head(f"{side}_wrist") - body.head(f"{side}_elbow")) if hand else np.zeros(3)
    fingers = [chain for chain in hand if not _THUMB.search(names.key(rest.names[chain[0]]))]
    if len(fingers) > 1:
        knuckles = np.array([rest.heads[chain[0]] for chain in fingers])
        along = quat.unit(np.mean([rest.heads[chain[1]] - rest.heads[chain[0]] for chain in fingers], axis=0))
        thumbs = [rest.heads[chain[1]] for chain in hand if chain not in fingers]
        spread = knuckles[:, None] - knuckles
        farthest = np.unravel_index(np.argmax(np.linalg.norm(spread, axis=-1)), spread.shape[:2])
        across = spread[farthest]
        forwards = thumbs[0] - knuckles.mean(axis=0) if thumbs else body.axes[:, 2]
        across = across if across @ forwards > 0.0 else -across
    else:
        across = body.axes[:, 2]
    palm = quat.cross(along, across) if side == "left" else quat.cross(across, along)
    return quat.unit(palm)


def _curled(rest: RestPose, chain: list[int], palm: Array, angles: Array) -> list[Channel]:
    """Rotations that curl a chain of bones by `angles` (n) towards the palm, each against the bone before it."""
    channels = []
    points = [rest.heads[bone] for bone in chain] + [_end(rest, chain[-1])]
    first = quat.unit(points[1] - points[0])
    axis = quat.unit(quat.cross(first, palm - (palm @ first) * first))
    before = first
    for bone, start, end, angle in zip(chain, points[:-1], points[1:], angles, strict=True):
        along = quat.unit(end - start)
        # What the finger is bent at rest already, seen along the axis that it curls about.
        bent = float(np.arctan2(quat.cross(before, along) @ axis, before @ along))
        before = along
        turn = quat.about(axis, np.array(angle - bent))
        own = quat.from_matrix(rest.matrices[bone, :3, :3])
        basis = quat.multiply(quat.conjugate(own), quat.multiply(turn, own))[None, None]
        mode = rest.rotation_modes[bone]
        channels.append(Channel(rest.names[bone], property_of(mode), in_modes(basis, [mode])[0]))
    return channels


def _end(rest: RestPose, bone: int) -> Array:
    """Where a bone ends: where the one that follows it starts, for in many files tails point anywhere."""
    after = [one for one, parent in enumerate(rest.parents) if parent == bone]
    if len(after) == 1 and np.linalg.norm(rest.heads[after[0]] - rest.heads[bone]) > 0.0:
        return rest.heads[after[0]]
    return rest.tails[bone]
