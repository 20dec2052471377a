# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs with more, fewer and odder bones than a person has, several troubles at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from figures import MIXAMO, Bone, person, renamed, rest_pose
from numpy.typing import NDArray
from test_hidden_rigs import from_the_viewer, nameless

from backend.errors import BackendError
from backend.motion.skeleton import JOINTS
from remodiffuse_blender.rig.detect import map_bones

Array = NDArray[Any]
LIMBS = [joint for joint in JOINTS if joint.endswith(("hip", "knee", "ankle", "shoulder", "elbow"))]


def a_posed(bones: dict[str, Bone], names: dict[str, str]) -> None:
    """Arms lowered by 50 degrees, in place."""
    for side, sign in (("left", 1.0), ("right", -1.0)):
        pivot = bones[names[f"{side}_shoulder"]].head.copy()
        angle = np.radians(50.0) * sign
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        for joint in ("elbow", "wrist"):
            bone = bones[names[f"{side}_{joint}"]]
            bone.head = pivot + turn @ (bone.head - pivot)


def turned(bones: dict[str, Bone], degrees: float, scale: float = 1.0) -> None:
    """About the vertical, in place."""
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    for bone in bones.values():
        bone.head = scale * matrix @ bone.head


def chain(bones: dict[str, Bone], above: str, name: str, start: Array, step: Array, count: int) -> None:
    root, last = bones[above].head + start, above
    for number in range(count):
        bones[f"{name}.{number:03}"] = Bone(root + number * step, last)
        last = f"{name}.{number:03}"


def assert_limbs(bones: dict[str, Bone], names: dict[str, str]) -> None:
    found = map_bones(rest_pose(bones)).bones
    assert {joint: found.get(joint) for joint in LIMBS} == {joint: names[joint] for joint in LIMBS}
    assert found["head"] == names["head"]


@pytest.mark.parametrize("degrees", [0.0, 90.0, 180.0, -90.0, 37.0])
def test_nameless_in_the_a_pose_facing_anywhere(degrees: float) -> None:
    names = nameless()
    bones = renamed(person(), names)
    a_posed(bones, names)
    turned(bones, degrees, 0.01)
    assert_limbs(bones, names)


@pytest.mark.parametrize("degrees", [0.0, 90.0])
def test_named_from_the_viewer_in_the_a_pose(degrees: float) -> None:
    names = from_the_viewer(MIXAMO)
    bones = renamed(person(), names)
    a_posed(bones, names)
    turned(bones, degrees)
    assert map_bones(rest_pose(bones)).bones == names


def with_everything(names: dict[str, str], word: str) -> dict[str, Bone]:
    """Skirt, tail, ears, breasts, wings and hair, called by `word` and a number."""
    bones = renamed(person(), names)
    x, y, z = np.eye(3)
    for number, (side, sign) in enumerate((("L", 1.0), ("R", -1.0))):
        for part, (above, start, step, count) in enumerate(
            (
                ("pelvis", sign * 0.12 * x - 0.05 * z, -0.12 * z + sign * 0.03 * x, 4),  # skirt
                ("head", sign * 0.07 * x + 0.1 * z, 0.07 * z, 3),  # ears
                ("spine3", sign * 0.08 * x - 0.12 * y + 0.05 * z, -0.05 * y, 2),  # breasts
                ("spine3", sign * 0.06 * x + 0.1 * y + 0.1 * z, sign * 0.3 * x + 0.1 * z + 0.05 * y, 4),  # wings
                ("head", sign * 0.05 * x + 0.08 * y, -0.15 * z, 5),  # hair
            )
        ):
            title = ("Skirt", "Ear", "Breast", "Wing", "Hair")[part]
            called = f"{title}_{side}" if not word else f"{word}{10 * part + number}"
            chain(bones, names[above], called, start, step, count)
    chain(bones, names["pelvis"], "Tail" if not word else f"{word}99", 0.1 * y, 0.15 * y - 0.1 * z, 6)
    return bones


def test_skirt_tail_ears_breasts_wings_and_hair_are_no_limbs() -> None:
    assert map_bones(rest_pose(with_everything(MIXAMO, ""))).bones == MIXAMO


def test_nor_are_they_where_nothing_has_a_name() -> None:
    names = nameless()
    assert_limbs(with_everything(names, "Bone.1"), names)


@pytest.mark.parametrize("naming", [lambda: MIXAMO, nameless], ids=["named", "nameless"])
def test_three_roots_above_the_hips(naming: Any) -> None:  # noqa: ANN401  (a function)
    names = naming()
    bones = renamed(person(), names)
    above = ""
    for number, height in enumerate((0.0, 0.0, 0.5)):
        bones[f"Root{number}"] = Bone(np.array([0.0, 0.0, height]), above)
        above = f"Root{number}"
    bones[names["pelvis"]].parent = above
    found = map_bones(rest_pose(bones)).bones
    assert found["pelvis"] == names["pelvis"]
    assert_limbs(bones, names)


def test_of_two_hips_the_one_that_carries_the_legs_is_taken() -> None:
    bones = renamed(person(), MIXAMO)
    bones["Hips_ctrl"] = Bone(bones["Hips"].head, "")
    bones["Hips"].parent = "Hips_ctrl"
    bones["Hips_IK"] = Bone(bones["Hips"].head + [0.0, 0.0, 0.02], "Hips_ctrl")
    assert map_bones(rest_pose(bones)).bones["pelvis"] == "Hips"


@pytest.mark.parametrize("naming", [lambda: MIXAMO, nameless], ids=["named", "nameless"])
def test_no_neck(naming: Any) -> None:  # noqa: ANN401  (a function)
    names = {joint: name for joint, name in naming().items() if joint != "neck"}
    bones = renamed(person(), names)
    found = map_bones(rest_pose(bones))
    assert found.complete
    assert_limbs(bones, names)


@pytest.mark.parametrize("naming", [lambda: MIXAMO, nameless], ids=["named", "nameless"])
@pytest.mark.parametrize("part", [("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee")], ids=lambda part: part[0])
def test_limbs_of_three_bones(naming: Any, part: tuple[str, str]) -> None:  # noqa: ANN401  (a function)
    """Upper arm, forearm or thigh in two pieces."""
    names = naming()
    bones = renamed(person(), names)
    for number, side in enumerate(("left", "right")):
        start, end = (names[f"{side}_{joint}"] for joint in part)
        extra = f"{start}_2" if naming is not nameless else f"Bone.9{number}"
        bones[extra] = Bone(0.5 * (bones[start].head + bones[end].head), start)
        bones[end].parent = extra
    assert_limbs(bones, names)


@pytest.mark.parametrize("hock", [False, True])
def test_a_faun_on_its_toes(hock: bool) -> None:
    """Knees in front, heels high behind; with `hock` a bone of its own between shin and foot. Without names it would be
    an animal.
    """
    names = MIXAMO
    bones = renamed(person(), names)
    for side in ("left", "right"):
        knee, ankle, foot = (bones[names[f"{side}_{joint}"]] for joint in ("knee", "ankle", "foot"))
        x = knee.head[0]
        knee.head, heel = np.array([x, -0.16, 0.56]), np.array([x, 0.16, 0.3])
        ankle.head, foot.head = heel, np.array([x, 0.0, 0.03])
        if hock:
            extra = f"{names[f'{side}_knee']}_hock"
            bones[extra] = Bone(heel, names[f"{side}_knee"])
            ankle.parent, ankle.head, foot.head = extra, np.array([x, 0.02, 0.09]), np.array([x, -0.08, 0.03])
    assert_limbs(bones, names)


def test_a_horse_with_a_persons_names_is_no_person() -> None:
    bones = renamed(person(), MIXAMO)
    for bone in bones.values():
        if bone.head[2] > 0.93:  # the trunk lies down, forwards
            bone.head = np.array([bone.head[0], -(bone.head[2] - 0.93), 0.95 + 0.1 * (bone.head[2] - 0.93)])
    for side in ("Left", "Right"):
        shoulder = bones[f"{side}Arm"].head
        for number, name in enumerate(("ForeArm", "Hand"), start=1):
            bones[f"{side}{name}"].head = shoulder - [0.0, 0.0, 0.45 * number]
    with pytest.raises(BackendError, match="No human figure"):
        map_bones(rest_pose(bones))


def test_a_nameless_dog_is_no_person() -> None:
    """Four legs that hang on a level back, a tail, and a head in front."""
    bones = {"B0": Bone(np.array([0.0, 0.0, 0.6]), "")}
    for number in range(1, 6):
        bones[f"B{number}"] = Bone(np.array([0.0, -0.15 * number, 0.6]), f"B{number - 1}")
    chain(bones, "B5", "C", np.array([0.0, -0.1, 0.1]), np.array([0.0, -0.08, 0.06]), 3)
    chain(bones, "B0", "D", np.array([0.0, 0.1, 0.0]), np.array([0.0, 0.1, 0.05]), 5)
    for count, (above, place) in enumerate((("B0", 0.0), ("B5", -0.75))):
        for side, sign in (("a", 1.0), ("b", -1.0)):
            start = np.array([0.1 * sign, place, 0.58]) - bones[above].head
            chain(bones, above, f"{side}{count}", start, np.array([0.0, 0.02, -0.19]), 4)
    with pytest.raises(BackendError, match=r"No human figure|missing"):
        map_bones(rest_pose(bones))
