# SPDX-License-Identifier: GPL-3.0-or-later
# Blender's stubs know nodes, sockets and object data by their base classes only.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""The characters that the demo can animate: Rigify's human, a plain skeleton, or somebody's file."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import bpy

from .. import rig_files
from ..inside_blender import MODULE


def build(choice: str) -> bpy.types.Object:
    """The armature, active and alone selected, in an otherwise empty scene. Raises ValueError with a plain sentence."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    if choice == "skeleton":
        rig = importlib.import_module(f"{MODULE}.rig.armature").build_skeleton("Skeleton")
    elif choice in ("rigify", "metarig"):
        rig = _rigify(generate=choice == "rigify")
    else:
        rig = rig_files.load(Path(choice))
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
