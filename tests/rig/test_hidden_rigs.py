# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs whose names mislead: geometry has the last word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from figures import MIXAMO, Bone, person, renamed, rest_pose

from backend.errors import BackendError
from backend.motion.skeleton import JOINTS
from remodiffuse_blender.rig.detect import map_bones

if TYPE_CHECKING:
    from collections.abc import Callable


def wide(text: str) -> str:
    """Letters and digits as full-width ones."""
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


def nameless() -> dict[str, str]:
    return {joint: f"Bone.{index:03}" for index, joint in enumerate(JOINTS)}


def from_the_viewer(names: dict[str, str]) -> dict[str, str]:
    """Names whose left and right are those of somebody who looks at the character."""
    other = {"left": "right", "right": "left"}
    return {
        joint: names[joint.replace(side, other[side])] if (side := joint.partition("_")[0]) in other else name
        for joint, name in names.items()
    }


@pytest.mark.parametrize("names", [MIXAMO, {j: wide(n) for j, n in MIXAMO.items()}], ids=["mixamo", "full width"])
def test_sides_named_from_the_viewer_are_put_right(names: dict[str, str]) -> None:
    seen = from_the_viewer(names)
    assert map_bones(rest_pose(renamed(person(), seen))).bones == seen


@pytest.mark.parametrize("naming", [lambda: MIXAMO, nameless], ids=["named", "nameless"])
def test_thighs_on_the_spine_are_thighs(naming: Callable[[], dict[str, str]]) -> None:
    names = naming()
    bones = renamed(person(), names)
    for side in ("left", "right"):
        bones[names[f"{side}_hip"]].parent = names["spine1"]
    found = map_bones(rest_pose(bones)).bones
    limbs = [joint for joint in JOINTS if joint.endswith(("hip", "knee", "ankle", "shoulder", "elbow"))]
    assert {joint: found.get(joint) for joint in limbs} == {joint: names[joint] for joint in limbs}


@pytest.mark.parametrize("turn", range(4))
def test_nameless_tiny_and_turned_left_is_still_the_bodys_left(turn: int) -> None:
    names = nameless()
    bones = renamed(person(), names)
    angle = turn * np.pi / 2.0
    matrix = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    for bone in bones.values():
        bone.head = 0.01 * matrix @ bone.head
    found = map_bones(rest_pose(bones)).bones
    for joint in ("left_hip", "left_ankle", "right_knee", "left_shoulder", "right_elbow"):
        assert found[joint] == names[joint]


def chain() -> dict[str, Bone]:
    """A snake."""
    return {f"Bone.{n:03}": Bone(np.array([0.0, 0.1 * n, 0.0]), f"Bone.{n - 1:03}" if n else "") for n in range(24)}


def spider() -> dict[str, Bone]:
    """Eight legs around a body."""
    bones = {"Hips": Bone(np.array([0.0, 0.0, 0.5]), ""), "Head": Bone(np.array([0.0, -0.3, 0.55]), "Hips")}
    for number in range(4):
        for name, side in (("Left", 1.0), ("Right", -1.0)):
            above, place = "Hips", np.array([0.1 * side, 0.15 * number - 0.2, 0.5])
            for part, step in (("UpLeg", [0.0, 0.0, 0.0]), ("Leg", [0.4, 0.0, 0.3]), ("Foot", [0.4, 0.0, -0.8])):
                place = place + np.array(step) * [side, 1.0, 1.0]
                bones[f"{name}{part}{number}"] = Bone(place, above)
                above = f"{name}{part}{number}"
    return bones


@pytest.mark.parametrize("decoy", [chain, spider])
def test_a_decoy_is_no_person(decoy: Callable[[], dict[str, Bone]]) -> None:
    with pytest.raises(BackendError, match=r"No human figure|missing"):
        map_bones(rest_pose(decoy()))
