# SPDX-License-Identifier: GPL-3.0-or-later
# Blender's stubs know object data by its base classes only.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""Inside Blender: the character of a file, whatever kind of file it is."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, Final

import bpy

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES: Final = (".blend", ".glb", ".gltf", ".fbx", ".bvh", ".json")


def load(file: Path) -> bpy.types.Object:
    """The armature with the most bones of a file, in an otherwise empty scene (in its own, for a .blend), without the
    motion that it came with. A .json holds a rig for the `build_rig.py` that lies beside it or above it.

    Raises ValueError with a plain sentence, RuntimeError where Blender cannot read the file.
    """
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    suffix, path = file.suffix.lower(), str(file)
    if suffix == ".json":
        return _builder(file).build(path)
    if suffix == ".blend":
        bpy.ops.wm.open_mainfile(filepath=path)
    elif suffix in (".glb", ".gltf"):
        bpy.ops.import_scene.gltf(filepath=path)
    elif suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=path)
    elif suffix == ".bvh":
        bpy.ops.import_anim.bvh(filepath=path)
    else:
        raise ValueError(f"{file.name} is none of {', '.join(SUFFIXES)}.")
    armatures = [each for each in bpy.context.scene.objects if each.type == "ARMATURE"]
    if not armatures:
        raise ValueError(f"There is no armature in {file.name}.")
    rig = max(armatures, key=lambda each: len(each.data.bones))
    # A motion that the file came with would only be in the way; the drivers of a control rig must stay.
    if rig.animation_data:
        rig.animation_data.action = None
        for track in list(rig.animation_data.nla_tracks):
            rig.animation_data.nla_tracks.remove(track)
    for bone in rig.pose.bones:
        bone.matrix_basis.identity()
    bpy.context.view_layer.update()
    return rig


def _builder(file: Path) -> Any:  # noqa: ANN401  (a module)
    script = next((folder / "build_rig.py" for folder in file.parents if (folder / "build_rig.py").is_file()), None)
    spec = importlib.util.spec_from_file_location("build_rig", script) if script else None
    if spec is None or spec.loader is None:
        raise ValueError(f"There is no build_rig.py beside {file.name}.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
