# SPDX-License-Identifier: GPL-3.0-or-later
# Blender's stubs know nodes, sockets and object data by their base classes only.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""The characters that the demo can animate: Rigify's human, a plain skeleton, or somebody's file."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import bpy

from ..inside_blender import MODULE


def build(choice: str) -> bpy.types.Object:
    """The armature, active and alone selected, in an otherwise empty scene. Raises ValueError with a plain sentence."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    if choice == "skeleton":
        rig = importlib.import_module(f"{MODULE}.rig.armature").build_skeleton("Skeleton")
    elif choice in ("rigify", "metarig"):
        rig = _rigify(generate=choice == "rigify")
    else:
        rig = _from_file(Path(choice))
    bpy.ops.object.select_all(action="DESELECT")
    rig.select_set(True)
    bpy.context.view_layer.objects.active = rig
    return rig


def _rigify(generate: bool) -> bpy.types.Object:
    bpy.ops.preferences.addon_enable(module="rigify")
    operators: Any = bpy.ops
    operators.object.armature_human_metarig_add()
    metarig: Any = bpy.context.object
    if not generate:
        return metarig
    operators.pose.rigify_generate()
    rig: Any = bpy.context.object
    bpy.data.objects.remove(metarig)
    return rig


def _from_file(path: Path) -> bpy.types.Object:
    suffix = path.suffix.lower()
    if suffix == ".blend":
        bpy.ops.wm.open_mainfile(filepath=str(path))
    elif suffix in (".glb", ".gltf"):
        bpy.ops.import_scene.gltf(filepath=str(path))
    elif suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path))
    else:
        bpy.ops.import_anim.bvh(filepath=str(path))
    armatures = [each for each in bpy.context.scene.objects if each.type == "ARMATURE"]
    if not armatures:
        raise ValueError(f"There is no armature in {path.name}.")
    rig = max(armatures, key=lambda each: len(each.data.bones))
    # A motion that the file came with would only be in the way; the drivers of a control rig must stay.
    if rig.animation_data:
        rig.animation_data.action = None
        for track in list(rig.animation_data.nla_tracks):
            rig.animation_data.nla_tracks.remove(track)
    for bone in rig.pose.bones:
        bone.matrix_basis.identity()
    return rig
