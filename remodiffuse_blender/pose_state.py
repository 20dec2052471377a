# SPDX-License-Identifier: GPL-3.0-or-later
"""The pose of an armature as it is, keyed or not: read, and written back to the last bit."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import bpy
import numpy as np

if TYPE_CHECKING:
    State = dict[str, Any]
    """Plain values of JSON."""

_TRANSFORMS: Final = {
    "location": 3,
    "rotation_quaternion": 4,
    "rotation_euler": 3,
    "rotation_axis_angle": 4,
    "scale": 3,
    "ik_stretch": 1,
}


def read(armature: bpy.types.Object) -> State:
    bones: Any = armature.pose.bones  # pyright: ignore[reportOptionalMemberAccess]  an armature has a pose
    transforms = {}
    for name, width in _TRANSFORMS.items():
        values = np.empty(len(bones) * width, np.float32)
        bones.foreach_get(name, values)
        transforms[name] = base64.b64encode(values.astype("<f4").tobytes()).decode()
    custom = {bone.name: _numbers(bone) for bone in bones if bone.keys()}
    return {"bones": [bone.name for bone in bones], "transforms": transforms, "custom": custom}


def _numbers(bone: Any) -> dict[str, float]:  # noqa: ANN401 (a pose bone)
    return {key: value for key, value in bone.items() if isinstance(value, (bool, int, float))}


def write(armature: bpy.types.Object, kept: State) -> None:
    bones: Any = armature.pose.bones  # pyright: ignore[reportOptionalMemberAccess]  an armature has a pose
    for name, width in _TRANSFORMS.items():
        values = np.frombuffer(base64.b64decode(kept["transforms"][name]), "<f4")
        if kept["bones"] == [bone.name for bone in bones]:
            bones.foreach_set(name, values)
            continue
        # Bones came or went meanwhile.
        for bone_name, row in zip(kept["bones"], values.reshape(-1, width), strict=True):
            if bone := bones.get(bone_name):
                setattr(bone, name, row.tolist() if width > 1 else float(row[0]))
    for bone_name, numbers in kept["custom"].items():
        bone = bones.get(bone_name)
        for key, value in numbers.items():
            if bone and key in bone.keys():  # noqa: SIM118  Blender's mapping
                bone[key] = value
    armature.update_tag(refresh={"DATA"})
    bpy.context.view_layer.update()
