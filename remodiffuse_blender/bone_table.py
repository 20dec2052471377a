# SPDX-License-Identifier: GPL-3.0-or-later
"""The animator's bone map: which bone plays which joint, kept with the armature object and saved with it.

Until something is changed it shows what was detected; from then on it holds all of the map.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import bpy
from bpy.props import BoolProperty, PointerProperty, StringProperty

from . import bone_map_file, detection
from .rig import names
from .rig.bone_map import BoneMap
from .rig.detect import checked
from .shared import BackendError, skeleton

if TYPE_CHECKING:
    from collections.abc import Callable

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false

_OVERRIDABLE: Any = {"LIBRARY_OVERRIDABLE"}
TORSO: Final = tuple(joint for joint in skeleton.JOINTS if not joint.startswith(("left", "right")))
LEFT: Final = tuple(joint for joint in skeleton.JOINTS if joint.startswith("left"))
RIGHT: Final = tuple(joint for joint in skeleton.JOINTS if joint.startswith("right"))


def title(joint: str) -> str:
    """What people read: "Left Hip"."""
    return joint.replace("_", " ").title()


def _getter(joint: str) -> Callable[[Any], str]:
    return lambda table: _bones(table).get(joint, "")


def _setter(joint: str) -> Callable[[Any, str], None]:
    return lambda table, bone: _choose(table, joint, bone)


def _bones(table: Any) -> dict[str, str]:  # noqa: ANN401 (the group below)
    chosen = _chosen(table)
    return detection.detected(table.id_data).bones if chosen is None else chosen


def _choose(table: Any, joint: str, bone: str) -> None:  # noqa: ANN401 (the group below)
    """Sets a joint's bone, and with mirrored edits that of the other side, if the rig has its counterpart."""
    bones = dict(_bones(table)) | {joint: bone}
    other = skeleton.JOINTS[skeleton.MIRROR[skeleton.INDEX[joint]]]
    counterpart = _own_bone(table.id_data, names.mirrored(bone)) if bone else ""
    if table.mirror and other != joint and (counterpart or not bone) and (counterpart != bone or not bone):
        bones[other] = counterpart
    table.chosen = json.dumps({name: value for name, value in bones.items() if value}, ensure_ascii=False)


_joints: dict[str, Any] = {
    joint: StringProperty(
        name=title(joint),
        description=f"The bone that plays the {joint.replace('_', ' ')}",
        get=_getter(joint),
        set=_setter(joint),
    )
    for joint in skeleton.JOINTS
}


class RemodiffuseBoneTable(bpy.types.PropertyGroup):
    """Besides these a string property for each joint, under its name: the bone that plays it."""

    __annotations__ = {
        "mirror": BoolProperty(
            name="Mirror Edits",
            description="A bone chosen for one side is followed by its counterpart, found by its name, on the other",
            default=True,
            override=_OVERRIDABLE,
        ),
        "chosen": StringProperty(options={"HIDDEN"}, override=_OVERRIDABLE),
        "reference": StringProperty(options={"HIDDEN"}, override=_OVERRIDABLE),
        **_joints,
    }


CLASSES = (RemodiffuseBoneTable,)


def attach() -> None:
    bpy.types.Object.remodiffuse_bones = PointerProperty(type=RemodiffuseBoneTable, override=_OVERRIDABLE)  # pyright: ignore[reportAttributeAccessIssue] ours


def detach() -> None:
    del bpy.types.Object.remodiffuse_bones  # pyright: ignore[reportAttributeAccessIssue] ours


def get(armature: bpy.types.Object) -> Any:  # noqa: ANN401 (properties that no type checker knows)
    return armature.remodiffuse_bones  # pyright: ignore[reportAttributeAccessIssue] ours


def edited(armature: bpy.types.Object) -> bool:
    """Whether the map is the animator's and no longer what was detected."""
    return _chosen(get(armature)) is not None


def proposal(armature: bpy.types.Object) -> BoneMap:
    """The map as it stands, whatever it lacks."""
    found, table = detection.detected(armature), get(armature)
    chosen, reference = _chosen(table), _reference(table) or found.reference
    if chosen is None:
        return BoneMap(found.family, found.bones, found.confidence, found.switches, reference)
    ordered = {joint: chosen[joint] for joint in skeleton.JOINTS if joint in chosen}
    return BoneMap(found.family, ordered, 1.0, found.switches, reference)


def bone_map(armature: bpy.types.Object) -> BoneMap:
    """The map to put motions on the armature with. Raises `BackendError` where it does not do."""
    found = proposal(armature)
    data: Any = armature.data
    again = "Choose other bones in the bone map (Retargeting > Bone Map), or press Detect Again there."
    if gone := [bone for bone in found.bones.values() if bone not in data.bones]:
        raise BackendError("bone_gone", f"{_listed(gone)} of the bone map is not in {armature.name}.", again)
    used = list(found.bones.values())
    if twice := sorted({bone for bone in used if used.count(bone) > 1}):
        raise BackendError("bone_twice", f"{_listed(twice)} plays two joints in the bone map.", again)
    checked(found)
    heads = {joint: data.bones[bone].head_local for joint, bone in found.bones.items()}
    for side in ("left", "right"):
        for one, other in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow")):
            if (heads[f"{side}_{one}"] - heads[f"{side}_{other}"]).length < 1e-6:
                words = f"{side} {one} and {side} {other}"
                raise BackendError("bone_nowhere", f"The bones for {words} begin at the same point.", again)
    return found


def take_over(armature: bpy.types.Object, found: BoneMap) -> None:
    """Makes a map the animator's own. Raises `BackendError` where the armature lacks its bones."""

    def own(bone: str) -> str:
        return _own_bone(armature, bone)

    if unknown := [bone for bone in found.bones.values() if not own(bone)]:
        raise BackendError(
            "foreign_bone_map",
            f"{armature.name} has no bone {_listed(unknown[:5])}{' and others of this map' if unknown[5:] else ''}.",
            "Load the map of a character that is built the same way, or edit the map here.",
        )
    table = get(armature)
    table.chosen = json.dumps({joint: own(bone) for joint, bone in found.bones.items()}, ensure_ascii=False)
    table.reference = _reference_text({own(bone): turn for bone, turn in found.reference.items() if own(bone)})


def detect_again(armature: bpy.types.Object) -> BoneMap:
    """Throws the animator's map away and looks at the bones afresh. The reference pose stays."""
    detection.forget(armature)
    get(armature).chosen = ""
    return detection.detected(armature)


def set_reference(armature: bpy.types.Object) -> int:
    """Takes the current pose as the T-pose; says how many bones differ from their rest pose in it."""
    pose: Any = armature.pose
    turned = {}
    for bone in bone_map(armature).bones.values():
        posed = pose.bones[bone]
        turn = posed.matrix.to_quaternion() @ posed.bone.matrix_local.to_quaternion().inverted()
        turned[bone] = tuple(turn.normalized())
    get(armature).reference = _reference_text(turned)
    return sum(abs(turn[0]) < 1.0 - 1e-6 for turn in turned.values())


def clear_reference(armature: bpy.types.Object) -> None:
    get(armature).reference = ""


def _reference_text(reference: dict[str, tuple[float, ...]]) -> str:
    return json.dumps({bone: list(turn) for bone, turn in reference.items()}, ensure_ascii=False) if reference else ""


def _chosen(table: Any) -> dict[str, str] | None:  # noqa: ANN401 (the group above)
    """The animator's map, None where nothing was changed. A file from elsewhere may hold anything: then nothing was."""
    try:
        return bone_map_file.bones_of(bone_map_file.parsed(table.chosen)) if table.chosen else None
    except ValueError:
        return None


def _reference(table: Any) -> dict[str, tuple[float, ...]]:  # noqa: ANN401 (the group above)
    try:
        return bone_map_file.turns_of(bone_map_file.parsed(table.reference)) if table.reference else {}
    except ValueError:
        return {}


def _own_bone(armature: bpy.types.Object, name: str) -> str:
    """The armature's bone of that name, or the only one that is called so but for namespace, case and width of its
    letters; "" for none.
    """
    data: Any = armature.data
    if name in data.bones:
        return name
    alike = [bone.name for bone in data.bones if names.key(bone.name) == names.key(name)]
    return alike[0] if len(alike) == 1 else ""


def _listed(bones: list[str]) -> str:
    return ", ".join(f'"{bone}"' for bone in bones)
