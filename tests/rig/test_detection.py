# SPDX-License-Identifier: GPL-3.0-or-later
"""Bone maps of figures with all kinds of names, parents and decoys."""

from __future__ import annotations

import numpy as np
import pytest
from figures import Bone, person, renamed, rest_pose

from backend.errors import BackendError
from backend.motion.skeleton import JOINTS
from remodiffuse_blender.rig.bone_map import REQUIRED, BoneMap
from remodiffuse_blender.rig.detect import map_bones, propose
from remodiffuse_blender.rig.families import Family, known_families

SAME = {joint: joint for joint in JOINTS}


@pytest.mark.parametrize("family", known_families(), ids=lambda family: family.name)
def test_every_family_is_known_by_its_own_names(family: Family) -> None:
    names = {joint: keys[0] for joint, keys in family.joints.items()}
    names = names if "spine1" in names or family.name == "openpose" else {**names, "spine1": "spine_fk"}
    found = propose(rest_pose(renamed(person(), names)))
    assert {joint: found.bones.get(joint) for joint in names} == names
    if all(joint in names for joint in REQUIRED):
        assert found.complete


@pytest.mark.parametrize(
    "spelling",
    [
        "{side}_{word}",
        "{word}.{s}",
        "{word}_{s}",
        "{Word}{S}",
        "{S}-{word}",
        "rig:{Side}{Word}",
        "CHAR {SIDE} {WORD}",
        "DEF-{word}.{S}",
    ],
)
def test_sides_are_read_in_any_spelling(spelling: str) -> None:
    words = {"collar": "clavicle", "shoulder": "upperarm", "elbow": "forearm", "wrist": "hand", "hip": "thigh"}
    words |= {"knee": "shin", "ankle": "foot", "foot": "toe"}
    names = {joint: joint for joint in JOINTS if "_" not in joint}
    for joint in JOINTS:
        side, _, part = joint.partition("_")
        if part:
            word, s = words[part], side[0]
            names[joint] = spelling.format(
                side=side, Side=side.title(), SIDE=side.upper(), s=s, S=s.upper(),
                word=word, Word=word.title(), WORD=word.upper(),
            )  # fmt: skip
    found = map_bones(rest_pose(renamed(person(), names)))
    assert found.bones == names


def test_left_is_the_left_of_the_body_whatever_the_names_say() -> None:
    names = {j: j.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right") for j in JOINTS}
    found = map_bones(rest_pose(renamed(person(), names)))
    assert found.bones == names


def test_nameless_bones_are_told_by_the_build_of_the_body() -> None:
    names = {joint: f"Bone.{index:03}" for index, joint in enumerate(JOINTS)}
    found = map_bones(rest_pose(renamed(person(), names)))
    assert found.bones == names
    assert found.family == "unknown"


def test_japanese_names_with_full_width_letters_and_decoys() -> None:
    parts = {
        "collar": "肩",
        "shoulder": "腕",
        "elbow": "ひじ",
        "wrist": "手首",
        "hip": "足",
        "knee": "ひざ",
        "ankle": "足首",
    }
    names = {"pelvis": "下半身", "spine1": "上半身", "spine3": "上半身２", "neck": "首", "head": "頭"}
    names |= {
        f"{side}_{part}": mark + word
        for part, word in parts.items()
        for side, mark in (("left", "左"), ("right", "右"))
    }
    bones = renamed(person(), names)
    bones["センター"] = Bone(np.array([0.0, 0.0, 0.5]), "")
    bones["下半身"].parent = bones["上半身"].parent = "センター"
    for mark, x in (("左", 0.09), ("右", -0.09)):
        bones[f"{mark}足ＩＫ"] = Bone(np.array([x, 0.0, 0.08]), "")
        bones[f"{mark}つま先ＩＫ"] = Bone(np.array([x, -0.12, 0.02]), f"{mark}足ＩＫ")
        bones[f"{mark}腕捩"] = Bone(bones[f"{mark}腕"].head * 0.5 + bones[f"{mark}ひじ"].head * 0.5, f"{mark}腕")
        bones[f"{mark}ひじ"].parent = f"{mark}腕捩"
    found = map_bones(rest_pose(bones))
    assert found.bones == names
    assert found.family == "mmd"


def test_thighs_may_hang_on_the_spine_and_collars_on_the_neck() -> None:
    family = next(family for family in known_families() if family.name == "biped")
    names = {joint: f"Bip01 {keys[0]}" for joint, keys in family.joints.items()}
    bones = renamed(person(), names)
    for side in ("left", "right"):
        bones[names[f"{side}_hip"]].parent = names["spine1"]
        bones[names[f"{side}_collar"]].parent = names["neck"]
    assert map_bones(rest_pose(bones)).bones == names


def test_a_rig_may_be_tiny_and_turned() -> None:
    bones = person()
    turn = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    for bone in bones.values():
        bone.head = 0.01 * turn @ bone.head
    assert map_bones(rest_pose(bones)).bones == SAME
    assert map_bones(rest_pose(renamed(bones, {j: f"Bone.{n}" for n, j in enumerate(JOINTS)}))).complete


def test_a_dog_is_no_person() -> None:
    bones = person()
    for bone in bones.values():
        if bone.head[2] > 0.9:  # the trunk lies down, forwards
            bone.head = np.array([bone.head[0], -(bone.head[2] - 0.9), 0.9])
    for side in ("left", "right"):
        shoulder = bones[f"{side}_shoulder"].head
        for number, joint in enumerate(("elbow", "wrist"), start=1):
            bones[f"{side}_{joint}"].head = shoulder - [0.0, 0.0, 0.4 * number]
    with pytest.raises(BackendError, match="No human figure"):
        map_bones(rest_pose(bones))


def test_what_is_missing_is_said() -> None:
    bones = person()
    del bones["head"]
    with pytest.raises(BackendError) as caught:
        map_bones(
            rest_pose({name: bone for name, bone in bones.items() if "elbow" not in name and "wrist" not in name})
        )
    assert caught.value.code == "no_humanoid"
    few = map_bones(rest_pose(renamed(person(), {j: j for j in JOINTS if not j.endswith(("wrist", "foot", "neck"))})))
    assert {one.joint for one in few.missing} == {j for j in JOINTS if j.endswith(("wrist", "foot", "neck"))}
    assert all(one.remedy for one in few.missing)


def test_a_map_survives_saving() -> None:
    found = map_bones(rest_pose(person()))
    assert BoneMap.from_json(found.to_json()) == found
    with pytest.raises(ValueError, match="unknown joints"):
        BoneMap.from_json({**found.to_json(), "bones": {"tail": "Tail"}})


@pytest.mark.parametrize("spelling", ["Hero_{}", "hero rig.{}", "{}_Hero", "{}.001", "a1-{}"])
@pytest.mark.parametrize("family", ["rigify_meta", "quaternius", "vrm", "mmd_english"])
def test_a_mark_that_all_bones_carry_says_nothing(spelling: str, family: str) -> None:
    known = next(each for each in known_families() if each.name == family)
    names = {joint: spelling.format(keys[0]) for joint, keys in known.joints.items()}
    found = map_bones(rest_pose(renamed(person(), names)))
    assert found.bones == names


@pytest.mark.parametrize(("one", "other"), [("{}", "{}.001"), ("Ann_{}", "Bob_{}"), ("{}_A", "{}_B"), ("A:{}", "B:{}")])
def test_of_two_people_in_one_armature_only_one_is_mapped(one: str, other: str) -> None:
    bones: dict[str, Bone] = {}
    for spelling, aside in ((one, 0.0), (other, 2.0)):
        for name, bone in person().items():
            head = bone.head + [aside, 0.0, 0.0]
            bones[spelling.format(name)] = Bone(head, spelling.format(bone.parent) if bone.parent else "")
    found = map_bones(rest_pose(bones)).bones
    assert found in ({joint: spelling.format(joint) for joint in JOINTS} for spelling in (one, other))


def test_of_two_nameless_people_in_one_armature_one_is_found() -> None:
    bones: dict[str, Bone] = {}
    for start, aside in ((0, 0.0), (50, 2.0)):
        names = {joint: f"Bone.{start + index:03}" for index, joint in enumerate(JOINTS)}
        bones |= {name: Bone(bone.head + [aside, 0, 0], bone.parent) for name, bone in renamed(person(), names).items()}
    found = map_bones(rest_pose(bones)).bones
    numbers = {int(bone.partition(".")[2]) // 50 for bone in found.values()}
    assert len(numbers) == 1
    assert len(found) == len(JOINTS)
