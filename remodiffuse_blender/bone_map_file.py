# SPDX-License-Identifier: GPL-3.0-or-later
"""Bone maps as files: JSON that people can read and mend, read strictly. Pure Python.

    {"format": "remodiffuse-bone-map", "version": 1, "family": "mixamo",
     "bones": {"pelvis": "Hips", "left_hip": "LeftUpLeg", ...},
     "reference_pose": {"LeftArm": [0.92, 0.0, 0.38, 0.0], ...}}

`reference_pose` may be left out: rotations (w, x, y, z; armature space) from the rest pose into the T-pose.
"""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any, Final, NoReturn

from .rig.bone_map import BoneMap
from .shared import BackendError, skeleton

if TYPE_CHECKING:
    from pathlib import Path

FORMAT: Final = "remodiffuse-bone-map"
VERSION: Final = 1
LARGEST: Final = 1 << 20
"""Bytes. A map of all joints takes some thousand."""
_KEYS: Final = {"format", "version", "family", "bones", "reference_pose"}


def write(path: Path, found: BoneMap) -> None:
    """Raises `BackendError` where the file cannot be written; what was there before stays then."""
    data: dict[str, Any] = {"format": FORMAT, "version": VERSION, "family": found.family, "bones": found.bones}
    if found.reference:
        data["reference_pose"] = {bone: list(turn) for bone, turn in found.reference.items()}
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(part, path)  # noqa: PTH105 (the same on every system)
    except OSError as error:
        raise BackendError(
            "bone_map_unwritten", f"{path.name} could not be written: {error.strerror}.", "Choose another folder."
        ) from error
    finally:
        if part.exists():
            part.unlink()


def read(path: Path) -> BoneMap:
    """Raises `BackendError` for whatever is not a bone map."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ValueError("it is too large")
        return _bone_map(parsed(data.decode("utf-8")))
    except OSError as error:
        raise BackendError(
            "bone_map_unread", f"{path.name} could not be read: {error.strerror}.", "Choose another file."
        ) from error
    except ValueError as error:
        raise BackendError(
            "bad_bone_map", f"{path.name} is no bone map: {error}.", "Choose a file that Save Bone Map has written."
        ) from error


def parsed(text: str) -> object:
    """JSON without repeated keys and without numbers that are none. Raises ValueError."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def bones_of(value: object) -> dict[str, str]:
    """Joint -> bone. Raises ValueError."""
    if not isinstance(value, dict) or not all(isinstance(bone, str) and 0 < len(bone) < 256 for bone in value.values()):
        raise ValueError("its bones are not names")
    if unknown := [joint for joint in value if joint not in skeleton.INDEX]:
        raise ValueError(f"there is no joint {unknown[0]!r:.40}")
    return {joint: value[joint] for joint in skeleton.JOINTS if joint in value}


def turns_of(value: object) -> dict[str, tuple[float, ...]]:
    """Bone -> unit quaternion. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError("its reference pose is none")
    turns: dict[str, tuple[float, ...]] = {}
    for bone, turn in value.items():
        if not isinstance(turn, list) or len(turn) != 4 or not all(type(one) in (int, float) for one in turn):
            raise ValueError(f"the turn of {bone!r:.40} is not four numbers")
        length = math.hypot(*turn)
        if not 0.99 < length < 1.01:
            raise ValueError(f"the turn of {bone!r:.40} is no rotation")
        turns[bone] = tuple(one / length for one in turn)
    return turns


def _bone_map(data: object) -> BoneMap:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"it does not say format {FORMAT!r}")
    if data.get("version") != VERSION:
        raise ValueError(f"it is not of version {VERSION}")
    if extra := sorted(set(data) - _KEYS):
        raise ValueError(f"nothing is known of {extra[0]!r:.40}")
    family = data.get("family", "")
    if not isinstance(family, str):
        raise ValueError("its family is no name")
    return BoneMap(family, bones_of(data.get("bones")), reference=turns_of(data.get("reference_pose", {})))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("it says something twice")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
