# SPDX-License-Identifier: GPL-3.0-or-later
"""A human figure found in the build of a skeleton alone, for bones whose names say nothing.

A person has two pairs of long mirrored limbs, each of two long straight segments: legs, and arms that hang further up.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise, permutations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from .checks import is_human
from .trunk import fill_trunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .rest_pose import RestPose

Array = NDArray[np.floating[Any]]

_MIRROR_ERROR: Final = 0.03  # of the figure's size
_BRANCHES: Final = 3  # a bone that carries this many is a hand
_SHORT: Final = 0.45  # of the longest bone of an arm: what ends it and is shorter belongs to the hand
_STRAIGHT: Final = 0.4  # cosine; limbs at rest are nearly straight, while a foot turns off its shin
_FOOT: Final = 0.8  # cosine
_BEHIND: Final = 8.0  # metres of limb that a metre before or behind the body's line counts
_SAME: Final = 0.998  # cosine
_DIRECTIONS: Final = 6
_ABOVE: Final = 0.75  # of the thigh's length
_FIGURES: Final = 4
_BALL: Final = 0.55  # of the foot's length: where toes bend


def find_by_structure(rest: RestPose) -> dict[str, int]:
    """All joints that can be told from positions and parents, empty if there is no person. The sides are a guess:
    left is +X of the armature, or else the first of the two mirrored halves.
    """
    if found := _find_facing_anywhere(rest):
        return found
    for bones in _figures(rest):
        if found := _find_facing_anywhere(_alone(rest, bones)):
            return {joint: bones[bone] for joint, bone in found.items()}
    return {}


def _figures(rest: RestPose) -> list[list[int]]:
    """The bones of each of several roots, the largest figure first; nothing where there is only one."""
    figures: dict[int, list[int]] = {}
    for bone in range(len(rest.names)):
        figures.setdefault([bone, *rest.carried_by(bone)][-1], []).append(bone)
    return sorted(figures.values(), key=len, reverse=True)[:_FIGURES] if len(figures) > 1 else []


def _alone(rest: RestPose, bones: list[int]) -> RestPose:
    """Some of the bones without the others, as far as their build goes."""
    own = {bone: index for index, bone in enumerate(bones)}
    return replace(
        rest,
        names=tuple(rest.names[bone] for bone in bones),
        parents=tuple(own.get(rest.parents[bone], -1) for bone in bones),
        carriers=tuple(own.get(rest.carriers[bone], -1) for bone in bones),
        copies=tuple(rest.copies[bone] for bone in bones),
        matrices=rest.matrices[bones],
        tails=rest.tails[bones],
    )


def _find_facing_anywhere(rest: RestPose) -> dict[str, int]:
    if found := _find_along_the_axes(rest):
        return found
    for direction in _across(rest):
        turn = np.eye(4)
        turn[:3, :3] = _onto_x(direction)
        if found := _find_along_the_axes(replace(rest, matrices=turn @ rest.matrices), axes=(0,)):
            return found
    return {}


def _find_along_the_axes(rest: RestPose, axes: tuple[int, ...] = (0, 1, 2)) -> dict[str, int]:
    """A figure whose halves mirror each other across the middle of one of the armature's axes."""
    children: list[list[int]] = [[] for _ in rest.names]
    for bone, carrier in enumerate(rest.carriers):
        if carrier >= 0:
            children[carrier].append(bone)
    best: dict[str, int] = {}
    best_score = -np.inf
    for axis in axes:
        aside = _aside(rest, axis)
        for legs, arms in permutations(_limb_roots(rest, axis, aside), 2):
            joints = _joints(rest, children, aside, legs, arms)
            if not joints:
                continue
            fill_trunk(rest, joints)
            head = {joint: rest.heads[bone] for joint, bone in joints.items()}
            length = sum(_length(head, side, *bones) for side in ("left", "right") for bones in _LIMB_BONES)
            score = length - _BEHIND * _behind(head) if "head" in head else -np.inf
            if score > best_score and is_human(head):
                best, best_score = joints, score
    return best


def _behind(head: dict[str, Array]) -> float:
    """How far the arms start before or behind the body's middle line: wings do."""
    hips, shoulders = ((head[f"left_{joint}"] + head[f"right_{joint}"]) / 2.0 for joint in ("hip", "shoulder"))
    up, side = head["head"] - hips, head["left_shoulder"] - head["right_shoulder"]
    forwards = np.cross(side, up)
    return abs(float((shoulders - hips) @ forwards)) / max(float(np.linalg.norm(forwards)), 1e-12)


def _across(rest: RestPose) -> list[Array]:
    """Directions from one side of a body to the other that there may be, level with no axis: between bones that hang on
    the same one and carry as much as each other.
    """
    carried = np.zeros(len(rest.names), dtype=int)
    middle = rest.heads.copy()
    for bone in range(len(rest.names)):
        for above in rest.carried_by(bone):
            carried[above] += 1
            middle[above] += rest.heads[bone]
    middle /= carried[:, None] + 1
    found: list[Array] = []
    for one, other in combinations(np.flatnonzero(carried >= 2).tolist(), 2):
        # What they carry, not they themselves: two of them may start at the same point.
        step = middle[other] - middle[one]
        length = float(np.linalg.norm(step))
        if rest.carriers[one] != rest.carriers[other] or carried[one] != carried[other] or length < 1e-9:
            continue
        if all(abs(float(step @ each)) < _SAME * length for each in (*np.eye(3), *found)):
            found.append(step / length)
    return found[:_DIRECTIONS]


def _onto_x(direction: Array) -> Array:
    """A rotation (3, 3) that turns a direction onto X."""
    helper = np.eye(3)[int(np.argmin(np.abs(direction)))]
    up = np.cross(direction, helper)
    up /= np.linalg.norm(up)
    return np.stack((direction, up, np.cross(direction, up)))


_LIMB_BONES: Final = (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))


def _aside(rest: RestPose, axis: int) -> Array:
    """For each bone the side of the middle of an axis on which it starts: 1, -1, or 0 for in the middle."""
    # Nearly every skeleton has more bones in the middle than anywhere else.
    off = rest.heads[:, axis] - np.median(rest.heads[:, axis])
    return np.sign(off) * (np.abs(off) > _MIRROR_ERROR * _size(rest))


def _size(rest: RestPose) -> float:
    return float(np.ptp(rest.heads, axis=0).max())


def _limb_roots(rest: RestPose, axis: int, aside: Array) -> Iterator[tuple[int, int]]:
    """Pairs of bones, mirrored across the middle of an axis, that hang on bones in the middle."""
    heads = rest.heads
    mirrored = heads.copy()
    mirrored[:, axis] = 2.0 * np.median(heads[:, axis]) - heads[:, axis]
    carried = np.array(rest.carriers)
    in_the_middle = (carried >= 0) & (aside[carried] == 0)
    for one in np.flatnonzero((aside > 0) & in_the_middle):
        for other in np.flatnonzero((aside < 0) & in_the_middle):
            if np.linalg.norm(mirrored[one] - heads[other]) < _MIRROR_ERROR * _size(rest):
                yield _from_the_fork(rest, int(one), int(other))


def _from_the_fork(rest: RestPose, one: int, other: int) -> tuple[int, int]:
    """Both ways taken further up, to where they part: collars may start in the middle already."""
    above, beside = rest.carried_by(one), rest.carried_by(other)
    shared = next((bone for bone in above if bone in beside), None)
    if shared is None:
        return one, other
    return [one, *above][above.index(shared)], [other, *beside][beside.index(shared)]


def _joints(
    rest: RestPose, children: list[list[int]], aside: Array, legs: tuple[int, int], arms: tuple[int, int]
) -> dict[str, int]:
    """The limbs' joints, if both pairs have them."""
    joints: dict[str, int] = {}
    for side, leg, arm in zip(("left", "right"), legs, arms, strict=True):
        for root, (upper, lower, end) in ((leg, _LIMB_BONES[0]), (arm, _LIMB_BONES[1])):
            way = _longest_way(rest, children, root)
            limb = _without_fingers(rest, children, way) if end == "wrist" else _without_foot(rest, way)
            found = _bend(rest, limb, aside)
            if not found or (end == "ankle" and _starts_late(rest, way, *found[:2])):
                return {}
            joints |= {f"{side}_{name}": way[index] for name, index in zip((upper, lower, end), found, strict=True)}
            if end == "wrist" and found[0] > 0:
                joints[f"{side}_collar"] = way[found[0] - 1]
            if end == "ankle" and (toe := _ball(rest, way[found[2] :])) >= 0:
                joints[f"{side}_foot"] = toe
    return joints


def _longest_way(rest: RestPose, children: list[list[int]], root: int) -> list[int]:
    """The longest chain of bones from `root` outwards."""
    best: tuple[float, list[int]] = (0.0, [root])
    open_ways = [(0.0, [root])]
    while open_ways:
        length, way = open_ways.pop()
        best = max(best, (length, way), key=lambda one: one[0])
        for child in children[way[-1]]:
            step = float(np.linalg.norm(rest.heads[child] - rest.heads[way[-1]]))
            open_ways.append((length + step, [*way, child]))
    return best[1]


def _without_fingers(rest: RestPose, children: list[list[int]], arm: list[int]) -> list[int]:
    """The arm up to the wrist: where fingers branch off, or else without the short bones at its end."""
    for index, bone in enumerate(arm):
        if index >= 2 and len(children[bone]) >= _BRANCHES:
            return arm[: index + 1]
    steps = np.linalg.norm(np.diff(rest.heads[arm], axis=0), axis=1)
    long = np.flatnonzero(steps >= _SHORT * steps.max()) if len(steps) else []
    return arm[: int(long[-1]) + 2] if len(long) else arm


def _without_foot(rest: RestPose, leg: list[int]) -> list[int]:
    """The leg up to the ankle: without the bones at its end that turn off its line."""
    while len(leg) > 3:
        line, last = rest.heads[leg[-2]] - rest.heads[leg[0]], rest.heads[leg[-1]] - rest.heads[leg[-2]]
        if float(line @ last) > _FOOT * float(np.linalg.norm(line) * np.linalg.norm(last)):
            break
        leg = leg[:-1]
    return leg


def _bend(rest: RestPose, way: list[int], aside: Array) -> tuple[int, int, int] | None:
    """Where a limb starts, bends and ends: the choice with two long, straight and alike segments in one line, off the
    middle of the body.
    """
    heads = rest.heads[way]
    steps = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(heads, axis=0), axis=1))))
    best, best_score = None, 0.0
    for start, middle, end in combinations(range(len(way)), 3):
        upper, lower = heads[middle] - heads[start], heads[end] - heads[middle]
        lengths = [float(np.linalg.norm(upper)), float(np.linalg.norm(lower))]
        cosine = float(upper @ lower) / max(lengths[0] * lengths[1], 1e-12)
        if cosine < _STRAIGHT or aside[way[start]] == 0:
            continue
        detour = float(steps[end] - steps[start]) - sum(lengths)
        score = (min(lengths) - abs(lengths[0] - lengths[1]) - 2.0 * detour) * cosine
        if score > best_score + 1e-6 * steps[-1]:
            best, best_score = (start, middle, end), score
    return best


def _starts_late(rest: RestPose, leg: list[int], start: int, middle: int) -> bool:
    """Whether a leg has another long bone above its thigh: then it is a bird's or a dinosaur's, or no leg."""
    steps = np.linalg.norm(np.diff(rest.heads[leg[: middle + 1]], axis=0), axis=1)
    return float(steps[:start].sum()) > _ABOVE * float(steps[start:].sum())


def _ball(rest: RestPose, foot: list[int]) -> int:
    """The bone that starts at the ball of the foot, given the bones from the ankle on; -1 for none."""
    reach = np.linalg.norm(rest.heads[foot] - rest.heads[foot[0]], axis=1)
    far = np.flatnonzero(reach >= _BALL * max(float(reach.max()), 1e-12))
    return foot[int(far[0])] if len(foot) > 1 and len(far) else -1


def _length(head: dict[str, Array], side: str, *joints: str) -> float:
    points = [head[f"{side}_{joint}"] for joint in joints]
    return float(sum(np.linalg.norm(b - a) for a, b in pairwise(points)))
