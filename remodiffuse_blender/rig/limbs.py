# SPDX-License-Identifier: GPL-3.0-or-later
"""Arms and legs found by what their bones are called, in any known language and spelling."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import TYPE_CHECKING, Final

from . import names

if TYPE_CHECKING:
    from .rest_pose import RestPose

# Joint -> words for its bone, the clearest first. Some words mean different bones in different rigs ("leg", "arm",
# "shoulder", "hip"); which one is meant shows in the chain they form.
_LEG: Final = {
    "hip": ("thigh", "upleg", "upperleg", "thighbend", "thighstretch", "femur", "太もも", "もも", "leg", "足", "hip"),
    "knee": ("shin", "calf", "lowerleg", "loleg", "lowleg", "legstretch", "ひざ", "膝", "knee", "leg"),
    "ankle": ("foot", "足首", "ankle", "feet"),
    "foot": ("toe", "toebase", "toes", "ball", "つま先", "足先ex", "forefoot", "foretoe", "foot"),
}
_ARM: Final = {
    "collar": ("clavicle", "collar", "collarbone", "scapula", "肩", "shoulder", "kata"),
    "shoulder": ("upperarm", "uparm", "shldrbend", "shldr", "armstretch", "humerus", "腕", "arm", "shoulder"),
    "elbow": ("forearm", "lowerarm", "loarm", "lowarm", "forearmbend", "forearmstretch", "ひじ", "肘", "elbow"),
    "wrist": ("hand", "wrist", "手首", "palm"),
}
_APART: Final = {"ankle": 1.5, "wrist": 0.7}
_MUST: Final = ("hip", "knee", "ankle", "shoulder", "elbow")


def find_limbs(rest: RestPose) -> dict[str, int]:
    """Joints of arms and legs -> bones, empty if a limb is not complete. Sides are as the names say."""
    called: dict[tuple[str, str], list[int]] = defaultdict(list)
    for bone, name in enumerate(rest.names):
        parts = names.read(name)
        if parts.side and not parts.helper:
            called[parts.side, parts.core].append(bone)
    joints: dict[str, int] = {}
    for side, words in product(("left", "right"), (_LEG, _ARM)):
        limb = _best_chain(rest, {joint: _candidates(called, side, spelled) for joint, spelled in words.items()})
        if any(joint not in limb for joint in words if joint in _MUST):
            return {}
        joints |= {f"{side}_{joint}": bone for joint, bone in limb.items()}
    return joints


def _candidates(called: dict[tuple[str, str], list[int]], side: str, words: tuple[str, ...]) -> list[tuple[int, float]]:
    """Bones that could be meant, with how unlikely the word makes each."""
    return [(bone, rank / len(words)) for rank, word in enumerate(words) for bone in called.get((side, word), ())]


def _best_chain(rest: RestPose, candidates: dict[str, list[tuple[int, float]]]) -> dict[str, int]:
    """The most complete choice of different bones in which each bone carries the next.

    The end of a limb may hang elsewhere (feet that are chains of their own), at a price.
    """
    ways: list[tuple[float, dict[str, int]]] = [(0.0, {})]
    for joint, found in candidates.items():
        longer = [
            (score + gain, {**way, joint: bone})
            for score, way in ways
            for bone, cost in found
            if (gain := _gain(rest, way, joint, bone, cost)) > 0.0
        ]
        ways += longer
    return max(ways, key=lambda one: one[0])[1]


def _gain(rest: RestPose, way: dict[str, int], joint: str, bone: int, cost: float) -> float:
    """What a bone adds to the worth of a limb; nothing if it cannot follow the bones before it."""
    gain = 2.0 if joint in _MUST else 1.0
    if bone in way.values():
        return 0.0
    if way and list(way.values())[-1] not in rest.carried_by(bone):
        gain -= _APART.get(joint, gain)
    # Copies of a limb on other layers are alike; the one nearest the root, that an animator moves, is preferred.
    return gain - 0.3 * cost - 0.001 * (len(rest.carried_by(bone)) + 10 * rest.copies[bone])
