# SPDX-License-Identifier: GPL-3.0-or-later
"""Pelvis, spine, neck and head, found from where the limbs hang on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from . import names

if TYPE_CHECKING:
    from .rest_pose import RestPose

Array = NDArray[np.floating[Any]]

_PELVIS: Final = frozenset(("pelvis", "hips", "hip", "下半身", "lowerbody", "骨盤", "kosi"))
_NECK: Final = frozenset(("neck", "首", "necklower", "necktwist", "kubi"))
_NECK_LENGTH: Final = 0.52  # of the shoulders' width, along the neck
_NECK_HEIGHT: Final = 0.7  # the same, above the shoulders
_NEARER: Final = 0.05  # of the leg's length
_HEAD: Final = frozenset(("head", "頭", "atama"))
# Rigify and its like: mechanism between the bones that an animator sees.
_MECHANISM: Final = ("MCH-", "ORG-", "VIS_", "tweak_")


def between(rest: RestPose, lower: int, upper: int) -> list[int]:
    """Bones that lead from `lower` up to `upper`, without both, bottom first, mechanism left out.

    Where the one does not carry the other, the way starts above the bone that carries both.
    """
    chain = rest.carried_by(upper)
    below = {lower, *rest.carried_by(lower)}
    way: list[int] = []
    for bone in chain:
        if bone in below:
            break
        way.append(bone)
    return [bone for bone in reversed(way) if not rest.copies[bone] and not _begins(rest.names[bone], _MECHANISM)]


def fill_trunk(rest: RestPose, joints: dict[str, int]) -> None:
    """Adds pelvis, spine, neck and head to a map that has hips and shoulders, in place, where they are missing.

    The pelvis is the bone that carries both legs, the neck starts above the bone that carries both arms, and the
    spine is what lies between. Joints that cannot be found stay out.
    """
    if "pelvis" not in joints and (pelvis := _pelvis(rest, joints)) >= 0:
        joints["pelvis"] = pelvis
    if "pelvis" not in joints:
        return
    shoulders = [
        joints[f"{side}_collar" if f"{side}_collar" in joints else f"{side}_shoulder"] for side in ("left", "right")
    ]
    chest = _carrier_of_both(rest, *shoulders)
    if "head" not in joints and (head := _head(rest, joints, chest)) >= 0:
        joints["head"] = head
    if "head" not in joints:
        return
    way = between(rest, joints["pelvis"], joints["head"])
    if "neck" not in joints:
        named = [bone for bone in way if names.read(rest.names[bone]).core in _NECK]
        above = way[way.index(chest) + 1 :] if chest in way else []
        if found := named or above:
            joints["neck"] = found[0]
    fill_spine(rest, joints)


def fill_spine(rest: RestPose, joints: dict[str, int]) -> None:
    """Adds the spine joints: the first bone above the pelvis, the last below the neck, the one nearest the middle."""
    top = joints["neck"] if "neck" in joints else joints["head"]
    taken = {joint: bone for joint, bone in joints.items() if not joint.startswith("spine")}
    way = [
        bone
        for bone in between(rest, joints["pelvis"], top)
        if bone not in taken.values() and names.read(rest.names[bone]).core not in _PELVIS
    ]
    for joint in ("spine1", "spine2", "spine3"):
        joints.pop(joint, None)
    if not way:
        return
    joints["spine1"] = way[0]
    if len(way) > 1:
        joints["spine3"] = way[-1]
    if len(way) > 2:
        heads = rest.heads[[*way, top]]
        along = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(heads, axis=0), axis=1))))
        middle = (along[0] + along[len(way) - 1]) / 2.0
        joints["spine2"] = way[1 + int(np.argmin(np.abs(along[1 : len(way) - 1] - middle)))]


def _pelvis(rest: RestPose, joints: dict[str, int]) -> int:
    """The lowest bone that carries both legs; one that is called pelvis or hips comes first. Where the legs hang on the
    spine, the pelvis is the bone below it that starts nearer to them.
    """
    left = rest.carried_by(joints["left_hip"])
    both = [bone for bone in left if bone in rest.carried_by(joints["right_hip"])]
    named = [bone for bone in both if names.read(rest.names[bone]).core in _PELVIS]
    if named or not both:
        return named[0] if named else -1
    hips = (rest.heads[joints["left_hip"]] + rest.heads[joints["right_hip"]]) / 2.0
    leg = float(np.linalg.norm(rest.heads[joints["left_ankle"]] - rest.heads[joints["left_hip"]]))
    away = np.linalg.norm(rest.heads[both[:2]] - hips, axis=1)
    return both[int(len(both) > 1 and away[1] < away[0] - _NEARER * leg)]


def _carrier_of_both(rest: RestPose, one: int, other: int) -> int:
    chain = [other, *rest.carried_by(other)]
    return next((bone for bone in (one, *rest.carried_by(one)) if bone in chain), -1)


def _head(rest: RestPose, joints: dict[str, int], chest: int) -> int:
    """The bone called head, else the end of the way up from the chest in the middle of the body."""
    called = [
        bone
        for bone, name in enumerate(rest.names)
        if names.read(name).core in _HEAD and not names.read(name).helper and not _begins(name, (*_MECHANISM, "DEF-"))
    ]
    carried = [bone for bone in called if chest in rest.carried_by(bone)]
    if carried or called:
        return min(carried or called, key=lambda bone: len(rest.carried_by(bone)))
    return _top(rest, joints, chest)


def _top(rest: RestPose, joints: dict[str, int], chest: int) -> int:
    """The bone that looks like a head: the last one within a neck's length on the chain that rises from the chest in
    the middle between the shoulders. What comes after it is the top of the head.
    """
    left, right = (rest.heads[joints[f"{side}_shoulder"]] for side in ("left", "right"))
    hips = (rest.heads[joints["left_hip"]] + rest.heads[joints["right_hip"]]) / 2.0
    width = float(np.linalg.norm(left - right))
    up, side = _unit((left + right) / 2.0 - hips), _unit(left - right)

    def rises(bone: int, above: int) -> bool:
        step = rest.heads[bone] - rest.heads[above]
        aside = abs(float((rest.heads[bone] - (left + right) / 2.0) @ side))
        # Some skeletons let the first bone of the neck start where the last one of the spine does.
        least = -0.02 if above == chest else 0.06
        return bone not in joints.values() and aside < 0.03 * width and float(step @ up) > least * width

    best, way, length = -1, chest, 0.0
    while chain := [bone for bone, carrier in enumerate(rest.carriers) if carrier == way and rises(bone, way)]:
        highest = max(chain, key=lambda bone: float(rest.heads[bone] @ up))
        length += float(np.linalg.norm(rest.heads[highest] - rest.heads[way])) if best >= 0 else 0.0
        above = float((rest.heads[highest] - (left + right) / 2.0) @ up)
        if length > _NECK_LENGTH * width and above > _NECK_HEIGHT * width:
            break
        best = way = highest
    return best


def _begins(name: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a bone's name begins with one of them, after its namespace."""
    return name.rpartition(":")[2].startswith(prefixes)


def _unit(vector: Array) -> Array:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
