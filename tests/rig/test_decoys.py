# SPDX-License-Identifier: GPL-3.0-or-later
"""Animals, vehicles and parts of people are no people, whatever their bones are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from figures import Bone, person, rest_pose

from remodiffuse_blender.rig.detect import propose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Steps = Sequence[tuple[float, float, float]]

SIDES = (("L", 1.0), ("R", -1.0))


def limb(bones: dict[str, Bone], above: str, names: Sequence[str], start: Sequence[float], steps: Steps) -> None:
    """A chain of bones; it begins at `start`, and each of the steps leads to where the next bone begins."""
    place = np.array(start, dtype=float)
    for name, step in zip(names, steps, strict=True):
        place = place + np.array(step)
        bones[name] = Bone(place, above)
        above = name


def sided(words: str, side: str) -> list[str]:
    return [f"{word}.{side}" for word in words.split()]


def wolf(neck: float = 0.0) -> dict[str, Bone]:
    """Four legs that are called like a person's limbs; with a long `neck` the head is high above the hips."""
    bones: dict[str, Bone] = {}
    limb(bones, "", ["spine", *(f"spine.{n:03}" for n in range(1, 6))], [0, 0.5, 0.8], [(0, -0.13, 0)] * 6)
    up = (0, -0.05, 0.1 + neck / 3.0)
    limb(bones, "spine.005", ["neck", "neck.001", "head"], bones["spine.005"].head.tolist(), [up] * 3)
    limb(bones, "spine", [f"tail.{n}" for n in range(4)], [0, 0.55, 0.8], [(0, 0.1, -0.05)] * 4)
    for side, x in SIDES:
        hind = [(0, 0, -0.02), (0, -0.1, -0.32), (0, 0.15, -0.25), (0, -0.08, -0.18)]
        limb(bones, "spine", sided("thigh shin foot toe", side), [0.12 * x, 0.45, 0.8], hind)
        fore = [(0, 0, 0), (0, -0.1, -0.2), (0, 0.12, -0.2), (0, 0, -0.25)]
        limb(bones, "spine.005", sided("shoulder upper_arm forearm hand", side), [0.1 * x, -0.3, 0.8], fore)
    return bones


def giraffe() -> dict[str, Bone]:
    return wolf(neck=2.0)


def dinosaur() -> dict[str, Bone]:
    """Two legs with four long segments, short arms, a level back."""
    bones = {"hips": Bone(np.array([0, 0, 1.5]), "")}
    trunk = [(0, -0.3, 0.05), (0, -0.3, 0.05), (0, -0.3, 0.15), (0, -0.2, 0.2), (0, -0.2, 0.1)]
    limb(bones, "hips", ["spine", "chest", "neck", "neck2", "head"], [0, 0, 1.5], trunk)
    limb(bones, "hips", [f"tail{n}" for n in range(5)], [0, 0, 1.5], [(0, 0.35, -0.05)] * 5)
    for side, x in SIDES:
        leg = [(0, 0, 0), (0, -0.25, -0.5), (0, 0.35, -0.4), (0, -0.15, -0.4)]
        limb(bones, "hips", sided("thigh shin foot toe", side), [0.2 * x, 0, 1.45], leg)
        arm = [(0, 0, 0), (0, -0.02, -0.2), (0, -0.12, -0.1)]
        limb(bones, "chest", sided("upper_arm forearm hand", side), [0.12 * x, -0.65, 1.45], arm)
    return bones


def bird() -> dict[str, Bone]:
    bones = {"hips": Bone(np.array([0, 0, 0.3]), "")}
    trunk = [(0, -0.06, 0.04), (0, -0.06, 0.05), (0, -0.04, 0.08), (0, -0.04, 0.06)]
    limb(bones, "hips", ["spine", "chest", "neck", "head"], [0, 0, 0.3], trunk)
    for side, x in SIDES:
        leg = [(0, 0, 0), (0, -0.04, -0.1), (0, 0.06, -0.08), (0, -0.03, -0.1)]
        limb(bones, "hips", sided("thigh shin foot toe", side), [0.05 * x, 0, 0.3], leg)
        wing = [(0, 0, 0), (0.15 * x, 0, 0.03), (0.2 * x, 0.03, 0), (0.25 * x, 0.05, 0)]
        limb(bones, "chest", sided("wing0 wing1 wing2 wing3", side), [0.06 * x, -0.12, 0.38], wing)
    return bones


def insect() -> dict[str, Bone]:
    bones = {"thorax": Bone(np.array([0, 0, 0.2]), "")}
    bones |= {"head": Bone(np.array([0, -0.2, 0.2]), "thorax"), "abdomen": Bone(np.array([0, 0.2, 0.2]), "thorax")}
    for number in range(3):
        for side, x in SIDES:
            names = [f"leg{number}_{part}.{side}" for part in range(4)]
            steps = [(0, 0, 0), (0.1 * x, 0, 0.05), (0.1 * x, 0, -0.1), (0.03 * x, 0, -0.1)]
            limb(bones, "thorax", names, [0.05 * x, 0.1 * number - 0.1, 0.2], steps)
    return bones


def car() -> dict[str, Bone]:
    bones = {"root": Bone(np.zeros(3), ""), "body": Bone(np.array([0, 0, 0.5]), "root")}
    for side, x in SIDES:
        for end, y in (("front", -1.2), ("back", 1.2)):
            axle = [(0, 0, 0), (0.3 * x, 0, -0.1), (0.1 * x, 0, 0)]
            limb(bones, "body", sided(f"{end}_arm {end}_wheel {end}_brake", side), [0.4 * x, y, 0.5], axle)
        door = [(0, 0, 0), (0, 0.3, 0.3), (0.2 * x, 0, 0), (0.1 * x, 0, 0)]
        limb(bones, "body", sided("door handle mirror glass", side), [0.8 * x, 0, 0.7], door)
    return bones


def aeroplane() -> dict[str, Bone]:
    bones = {"body": Bone(np.array([0, 0, 1.0]), "")}
    limb(bones, "body", ["nose"], [0, 0, 1], [(0, -3, 0)])
    limb(bones, "body", ["tail", "fin"], [0, 0, 1], [(0, 3, 0), (0, 0.2, 1)])
    for side, x in SIDES:
        limb(
            bones,
            "body",
            sided("wing0 wing1 wing2", side),
            [0.3 * x, 0, 1],
            [(0, 0, 0), (1.5 * x, 0, 0), (2 * x, 0, 0)],
        )
        limb(
            bones, "tail", sided("fin0 fin1 fin2", side), [0.1 * x, 3, 1], [(0, 0, 0), (0.6 * x, 0, 0), (0.5 * x, 0, 0)]
        )
        limb(
            bones, "body", sided("gear0 gear1 gear2", side), [0.4 * x, 0.3, 1], [(0, 0, 0), (0, 0, -0.4), (0, 0, -0.4)]
        )
    return bones


def hand() -> dict[str, Bone]:
    bones = {"Arm_L": Bone(np.zeros(3), ""), "Hand_L": Bone(np.array([0.25, 0, 0]), "Arm_L")}
    for number, finger in enumerate(("Thumb", "Index", "Middle", "Ring", "Pinky")):
        names = [f"{finger}{part}_L" for part in range(1, 5)]
        limb(bones, "Hand_L", names, [0.3, 0.04 - 0.02 * number, 0], [(0.03, 0, 0)] * 4)
    return bones


def table() -> dict[str, Bone]:
    bones = {"top": Bone(np.array([0, 0, 1.0]), "")}
    for name, x, y in (("a", 0.5, 0.5), ("b", -0.5, 0.5), ("c", 0.5, -0.5), ("d", -0.5, -0.5)):
        limb(bones, "top", [f"{name}{part}" for part in range(4)], [x, y, 1], [(0, 0, -0.3)] * 4)
    return bones


def upper_body() -> dict[str, Bone]:
    return {name: bone for name, bone in person().items() if not name.endswith(("hip", "knee", "ankle", "foot"))}


def pair_of_legs() -> dict[str, Bone]:
    arms = ("collar", "shoulder", "elbow", "wrist")
    return {name: bone for name, bone in person().items() if not name.endswith(arms)}


DECOYS = (wolf, giraffe, dinosaur, bird, insect, car, aeroplane, hand, table, upper_body, pair_of_legs)


@pytest.mark.parametrize("naming", ["named", "nameless"])
@pytest.mark.parametrize("decoy", DECOYS)
def test_it_is_no_person(decoy: Callable[[], dict[str, Bone]], naming: str) -> None:
    bones = decoy()
    if naming == "nameless":
        names = {name: f"Bone.{number:03}" for number, name in enumerate(bones)}
        bones = {names[name]: Bone(bone.head, names.get(bone.parent, "")) for name, bone in bones.items()}
    assert not propose(rest_pose(bones)).complete
