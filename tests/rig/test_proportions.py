# SPDX-License-Identifier: GPL-3.0-or-later
"""What is odd about a figure's build is said in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from figures import Bone, person, rest_pose

from remodiffuse_blender.rig.body import measure
from remodiffuse_blender.rig.detect import map_bones
from remodiffuse_blender.rig.proportions import remarks

if TYPE_CHECKING:
    from collections.abc import Callable

SIDES = ("left", "right")


def told(bones: dict[str, Bone]) -> list[str]:
    rest = rest_pose(bones)
    return remarks(measure(rest, map_bones(rest)))


def long_thighs(bones: dict[str, Bone]) -> None:
    for side in SIDES:
        bones[f"{side}_knee"].head[2] -= 0.08


def one_long_leg(bones: dict[str, Bone]) -> None:
    for joint in ("ankle", "foot"):
        bones[f"left_{joint}"].head[2] -= 0.05


def long_feet(bones: dict[str, Bone]) -> None:
    for side in SIDES:
        bones[f"{side}_foot"].head[1] -= 0.15


def high_ankles(bones: dict[str, Bone]) -> None:
    for name, bone in bones.items():
        if not name.endswith("_foot"):
            bone.head[2] += 0.15


def short_arms(bones: dict[str, Bone]) -> None:
    for side in SIDES:
        shoulder = bones[f"{side}_shoulder"].head
        for joint in ("elbow", "wrist"):
            bones[f"{side}_{joint}"].head = shoulder + 0.6 * (bones[f"{side}_{joint}"].head - shoulder)


def long_trunk(bones: dict[str, Bone]) -> None:
    for name in ("spine3", "neck", "head", *(f"{side}_{part}" for side in SIDES for part in ("collar", "shoulder"))):
        bones[name].head[2] += 0.25
    for side in SIDES:
        for joint in ("elbow", "wrist"):
            bones[f"{side}_{joint}"].head[2] += 0.25


def test_there_is_nothing_to_say_about_our_own_figure() -> None:
    assert told(person()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (long_thighs, "The thighs are 59 % of the legs, the motion's 49 %"),
        (one_long_leg, "One leg is 6 % longer than the other"),
        (long_feet, "The feet are 2.1 times as long"),
        (high_ankles, "The ankles are 3.0 times as high"),
        (short_arms, "The arms are 0.6 times as long"),
        (long_trunk, "The trunk is 1.5 times as long"),
    ],
)
def test_what_is_odd_is_said(change: Callable[[dict[str, Bone]], None], words: str) -> None:
    bones = person()
    change(bones)
    assert [remark for remark in told(bones) if remark.startswith(words)], told(bones)
