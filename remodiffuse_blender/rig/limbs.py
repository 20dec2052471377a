# SPDX-License-Identifier: GPL-3.0-or-later
"""Arms and legs found by what their bones are called, in any known language and spelling."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise, product
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
    best: dict[str, int] = {}
    best_score = 0.0
    options = [[*found[:8], (-1, 0.0)] for found in candidates.values()]
    for choice in product(*options):
        chosen = [(joint, bone) for joint, (bone, _) in zip(candidates, choice, strict=True) if bone >= 0]
        bones = [bone for _, bone in chosen]
        if len(set(bones)) < len(bones):
            continue
        score = sum(2.0 if joint in _MUST else 1.0 for joint, _ in chosen) - 0.3 * sum(cost for _, cost in choice)
        for (_, above), (joint, below) in pairwise(chosen):
            if above not in rest.carried_by(below):
                score -= 1.5 if joint in ("ankle", "wrist") else 10.0
        # Copies of a limb on other layers are alike; the one nearest the root, that an animator moves, is preferred.
        score -= 0.001 * sum(len(rest.carried_by(bone)) + 10 * rest.copies[bone] for bone in bones)
        if score > best_score:
            best, best_score = dict(chosen), score
    return best
