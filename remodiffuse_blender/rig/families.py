# SPDX-License-Identifier: GPL-3.0-or-later
"""The known rig families: tables of bone names, one data file each in families/."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..shared import skeleton
from . import names

if TYPE_CHECKING:
    from .rest_pose import RestPose

_FOLDER = Path(__file__).parent / "families"
_MARK_BONUS = 0.02


@dataclass(frozen=True)
class Family:
    """`joints` maps canonical joints to possible bone names (as `names.key`), the likeliest first. `marks` are bones
    that only this family has. `switches` are custom properties and the values they need for the motion to show.
    `ik` names the bones of limbs that inverse kinematics moves if `ik_switches` are set: (side, "arm" or "leg") ->
    upper, lower, target, pole, tip -> bone.
    """

    name: str
    title: str
    joints: dict[str, tuple[str, ...]]
    marks: tuple[str, ...]
    prefixes: tuple[str, ...]
    switches: dict[str, float]
    ik: dict[tuple[str, str], dict[str, str]]
    ik_switches: dict[str, float]


@functools.cache
def known_families() -> tuple[Family, ...]:
    """All families, read once."""
    return tuple(_load(path) for path in sorted(_FOLDER.glob("*.toml")))


def match(family: Family, rest: RestPose) -> tuple[dict[str, int], float]:
    """The family's joints among the rig's bones, and a score: the share of its joints that are there, times the share
    of them that hang on each other as joints do.
    """
    bones: dict[str, int] = {}
    for index, name in enumerate(rest.names):
        bones.setdefault(_stripped(names.key(name), family.prefixes), index)
    found = {
        joint: bone
        for joint, keys in family.joints.items()
        if (bone := next((bones[one] for one in keys if one in bones), None)) is not None
    }
    # One bone, one joint: the same bone can stand in several lists of alternatives.
    unique: dict[str, int] = {}
    for joint, bone in found.items():
        if bone not in unique.values():
            unique[joint] = bone
    related = [_hangs_on_its_parent(joint, unique, rest) for joint in unique]
    agreement = sum(related) / max(len(related), 1)
    # Rigs may lack what few motions need.
    optional = {joint for joint in family.joints if joint.endswith(("collar", "wrist", "foot", "neck"))}
    weight = {joint: 0.25 if joint in optional or joint == "spine2" else 1.0 for joint in family.joints}
    coverage = sum(weight[joint] for joint in unique) / sum(weight.values())
    keys = {names.key(name) for name in rest.names}
    bonus = _MARK_BONUS * sum(mark in keys for mark in family.marks)
    return unique, coverage * agreement + bonus + 0.001 * len(unique)


def _hangs_on_its_parent(joint: str, found: dict[str, int], rest: RestPose) -> bool:
    parent = skeleton.PARENTS[skeleton.INDEX[joint]]
    while parent >= 0 and skeleton.JOINTS[parent] not in found:
        parent = skeleton.PARENTS[parent]
    if parent < 0:
        return True
    return found[skeleton.JOINTS[parent]] in rest.carried_by(found[joint])


def _stripped(key: str, prefixes: tuple[str, ...]) -> str:
    prefix = next((one for one in prefixes if key.startswith(one)), "")
    return key[len(prefix) :]


def _load(path: Path) -> Family:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    joints: dict[str, tuple[str, ...]] = {}
    for joint, value in data["joints"].items():
        spellings = [value] if isinstance(value, str) else value
        if joint in skeleton.INDEX:
            joints[joint] = tuple(names.key(one) for one in spellings)
            continue
        for side, mark in zip(("left", "right"), data["sides"], strict=True):
            joints[f"{side}_{joint}"] = tuple(names.key(one.format(side=mark)) for one in spellings)
    return Family(
        path.stem,
        data["title"],
        joints,
        tuple(names.key(one) for one in data.get("marks", ())),
        tuple(names.key(one) for one in data.get("prefixes", ()) if ":" not in one),
        {name: float(value) for name, value in data.get("switches", {}).items()},
        {
            (side, limb): {part: bone.format(side=mark) for part, bone in bones.items()}
            for limb, bones in data.get("ik", {}).items()
            for side, mark in zip(("left", "right"), data["sides"], strict=True)
        },
        {name: float(value) for name, value in data.get("ik_switches", {}).items()},
    )
