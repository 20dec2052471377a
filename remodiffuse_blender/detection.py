# SPDX-License-Identifier: GPL-3.0-or-later
"""What bone detection makes of armatures, remembered: the sidebar asks at every redraw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .rig.armature import read_rest_pose
from .rig.detect import propose

if TYPE_CHECKING:
    import bpy

    from .rig.bone_map import BoneMap

REMEMBERED: Final = 16

_known: dict[tuple[int, int], BoneMap] = {}


def detected(armature: bpy.types.Object) -> BoneMap:
    """The best map that can be found. It may lack required joints, or all of them."""
    data: Any = armature.data
    mirrored = armature.matrix_world.is_negative  # then its sides are exchanged
    key = (data.session_uid, hash((mirrored, *(bone.name for bone in data.bones))))
    if key not in _known:
        while len(_known) >= REMEMBERED:
            del _known[next(iter(_known))]
        _known[key] = propose(read_rest_pose(armature))
    return _known[key]


def forget(armature: bpy.types.Object) -> None:
    """The next question is answered by looking again."""
    data: Any = armature.data
    for key in [key for key in _known if key[0] == data.session_uid]:
        del _known[key]
