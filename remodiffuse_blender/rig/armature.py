# SPDX-License-Identifier: GPL-3.0-or-later
"""Between armature objects and arrays. The only file of `rig` that touches bpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..shared import skeleton
from . import mirror
from .axes import TO_BLENDER
from .rest_pose import RestPose

if TYPE_CHECKING:
    import bpy


def read_rest_pose(armature: bpy.types.Object) -> RestPose:
    """The armature's rest pose and settings, as it is seen (`RestPose.mirrored`). Nothing is written, and the current
    pose does not matter.
    """
    data: Any = armature.data
    pose_of: Any = armature.pose
    bones = _in_order(data.bones)
    index = {bone.name: i for i, bone in enumerate(bones)}
    poses = [pose_of.bones[bone.name] for bone in bones]
    parents = [index[bone.parent.name] if bone.parent else -1 for bone in bones]
    driven = {curve.data_path for curve in armature.animation_data.drivers} if armature.animation_data else set()
    copied = [_copied_bone(armature, pose, driven) for pose in poses]
    reached = [_ik_ends(armature, pose, driven) for pose in poses]
    matrices, tails = _rest_places(data.bones, [bone.name for bone in bones])
    carriers = [index[name] if name else parent for name, parent in zip(copied, parents, strict=True)]
    rest = RestPose(
        names=tuple(index),
        parents=tuple(parents),
        matrices=matrices,
        tails=tails,
        world=np.array(armature.matrix_world, dtype=np.float64),
        carriers=tuple(carriers),
        copies=tuple(bool(name) for name in copied),
        inherit_rotation=tuple(bone.use_inherit_rotation for bone in bones),
        local_location=tuple(bone.use_local_location for bone in bones),
        connected=tuple(bone.use_connect and bone.parent is not None for bone in bones),
        deform=tuple(bone.use_deform for bone in bones),
        rotation_modes=tuple(pose.rotation_mode for pose in poses),
        properties={pose.name: values for pose in poses if (values := _numbers(pose))},
        ik={i: (index[ends[0]], index.get(ends[1], -1)) for i, ends in enumerate(reached) if ends[0] in index},
        pole_angles={
            i: constraint.pole_angle
            for i, pose in enumerate(poses)
            for constraint in pose.constraints
            if constraint.type == "IK" and constraint.pole_target
        },
        hinges=frozenset(i for i, pose in enumerate(poses) if pose.lock_ik_y and pose.lock_ik_z),
        stretched=frozenset(i for i, pose in enumerate(poses) if pose.ik_stretch > 0.0),
        constrained=frozenset(i for i, pose in enumerate(poses) if len(pose.constraints)),
        object_location=np.array(armature.location, dtype=np.float64),
        object_axes=np.array(armature.matrix_basis, dtype=np.float64)[:3, :3],
    )
    return mirror.seen(rest)


def build_skeleton(name: str = "Skeleton") -> bpy.types.Object:
    """A plain armature of the 22 canonical joints, one bone each under the joint's name, standing at the origin and
    facing -Y. It is added to the scene and made the active object.
    """
    import bpy

    data = bpy.data.armatures.new(name)
    armature = bpy.data.objects.new(name, data)
    bpy.context.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    heads = skeleton.rest_positions() @ TO_BLENDER.T
    bpy.ops.object.mode_set(mode="EDIT")
    for joint, (joint_name, parent) in enumerate(zip(skeleton.JOINTS, skeleton.PARENTS, strict=True)):
        bone: Any = data.edit_bones.new(joint_name)
        bone.head = heads[joint]
        bone.tail = heads[joint] + TO_BLENDER @ _end(joint)
        if parent >= 0:
            bone.parent = data.edit_bones[skeleton.JOINTS[parent]]
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def _end(joint: int) -> Any:  # noqa: ANN401 (a vector)
    """From a joint to the end of its bone: the next joint of its chain, or a short way on for the last one."""
    following = {"pelvis": "spine1", "spine3": "neck"}.get(skeleton.JOINTS[joint])
    children = [skeleton.INDEX[following]] if following else [c for c, p in enumerate(skeleton.PARENTS) if p == joint]
    if children:
        return skeleton.REST_OFFSETS[children[0]]
    if skeleton.JOINTS[joint] == "head":
        return np.array([0.0, 0.18, 0.0])
    if skeleton.JOINTS[joint].endswith("foot"):
        return np.array([0.0, 0.0, 0.07])
    return 0.35 * skeleton.REST_OFFSETS[joint]


def _rest_places(bones: Any, names: list[str]) -> tuple[Any, Any]:  # noqa: ANN401 (bpy's bone collection, two arrays)
    """Rest matrices (N, 4, 4) and tails (N, 3) of the bones in the order of their names. All at once: one by one they
    would take longer than everything else.
    """
    places = {bone.name: number for number, bone in enumerate(bones)}
    order = [places[name] for name in names]
    matrices, tails = np.empty(16 * len(names), np.float32), np.empty(3 * len(names), np.float32)
    bones.foreach_get("matrix_local", matrices)
    bones.foreach_get("tail_local", tails)
    # Blender keeps matrices column by column.
    by_rows = matrices.reshape(-1, 4, 4).swapaxes(1, 2)
    return by_rows[order].astype(np.float64), tails.reshape(-1, 3)[order].astype(np.float64)


def _in_order(bones: Any) -> list[Any]:  # noqa: ANN401 (bpy's bone collection)
    """Parents before children; Blender keeps no such order by itself."""
    ordered = [bone for bone in bones if bone.parent is None]
    for bone in ordered:
        ordered.extend(bone.children)
    return ordered


def _copied_bone(armature: bpy.types.Object, pose: Any, driven: set[str]) -> str:  # noqa: ANN401 (a pose bone)
    """The bone of the same armature whose transform this one takes over outright, by a constraint; "" for none.

    Constraints with a driver (`driven` are the paths with one) are switches and do not count.
    """
    for constraint in reversed(pose.constraints):
        if constraint.mute or constraint.influence < 1.0 or constraint.type not in ("COPY_TRANSFORMS", "ARMATURE"):
            continue
        if f"{constraint.path_from_id()}.influence" in driven:
            continue
        if constraint.type == "COPY_TRANSFORMS":
            spaces = (constraint.owner_space, constraint.target_space)
            if constraint.target == armature and constraint.subtarget and spaces == ("WORLD", "WORLD"):
                return constraint.subtarget
        else:
            targets = [one for one in constraint.targets if one.weight > 0.0]
            if len(targets) == 1 and targets[0].target == armature:
                return targets[0].subtarget
    return ""


def _ik_ends(armature: bpy.types.Object, pose: Any, driven: set[str]) -> tuple[str, str]:  # noqa: ANN401 (a pose bone)
    """Target and pole of a bone that inverse kinematics turns together with its parent; "" for none."""
    for constraint in pose.constraints:
        if constraint.type != "IK" or constraint.mute or constraint.influence < 1.0 or constraint.chain_count != 2:
            continue
        if f"{constraint.path_from_id()}.influence" not in driven and constraint.target == armature:
            pole = constraint.pole_subtarget if constraint.pole_target == armature else ""
            return constraint.subtarget, pole
    return "", ""


def _numbers(pose: Any) -> dict[str, float]:  # noqa: ANN401 (a pose bone)
    return {key: float(value) for key, value in pose.items() if isinstance(value, (bool, int, float))}
