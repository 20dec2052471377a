# SPDX-License-Identifier: GPL-3.0-or-later
"""Insert and undo: of everything that Blender knows about a control rig, nothing differs afterwards."""

from __future__ import annotations

import importlib
from typing import Any

import bpy
import pytest
from scenes import Rna, arrive, context, dump, ops

motions = pytest.importorskip("motions")

# What Blender counts or works out by itself.
WORKED_OUT = {"rna_type", "session_uid", "is_evaluated", "is_updated", "is_updated_data", "original"}
DEEP = 4


def everything(rig: Rna) -> dict[str, Any]:
    """All properties of the rig's object, bones, pose, constraints, drivers and animation data, as plain values."""
    return {
        "object": plain(rig, skip={"pose", "data", "animation_data", "constraints", "modifiers"}),
        "object constraints": [plain(each) for each in rig.constraints],
        "bones": {bone.name: plain(bone, skip={"parent", "children"}) for bone in rig.data.bones},
        "pose": {bone.name: plain(bone, skip={"parent", "child", "bone"}) for bone in rig.pose.bones},
        "constraints": {
            bone.name: [plain(each) | {"targets": targets(each)} for each in bone.constraints]
            for bone in rig.pose.bones
        },
        "driven": {curve.data_path: str(rig.path_resolve(curve.data_path)) for curve in rig.animation_data.drivers},
        "custom": {bone.name: {key: value(bone[key]) for key in list(bone.keys())} for bone in rig.pose.bones},
        "own custom": {key: value(rig[key]) for key in list(rig.keys()) if not key.startswith("remodiffuse")},
        "drivers": [driver(each) for each in (rig.animation_data.drivers if rig.animation_data else ())],
        "collections": [(each.name, each.is_visible) for each in rig.data.collections_all],
        "actions": {action.name: action.use_fake_user for action in bpy.data.actions},
        "rest": dump()["objects"][rig.name],
    }


def plain(item: Rna, skip: set[str] = frozenset()) -> dict[str, Any]:  # pyright: ignore[reportArgumentType]
    """The values of an item's own properties; of other items only their names."""
    found = {}
    for prop in item.bl_rna.properties:
        name = prop.identifier
        if name in skip or name in WORKED_OUT or name.startswith(("remodiffuse", "matrix_world", "matrix_local")):
            continue
        try:
            value = getattr(item, name)
        except (AttributeError, RuntimeError):
            continue
        if prop.type == "POINTER":
            found[name] = value and getattr(value, "name", type(value).__name__)
        elif prop.type == "COLLECTION":
            found[name] = [getattr(each, "name", "") for each in value]
        elif hasattr(value, "__len__") and not isinstance(value, (str, set)):
            found[name] = [tuple(row) if hasattr(row, "__len__") else row for row in value]
        else:
            found[name] = value
    return found


def without_driven(found: dict[str, Any]) -> dict[str, Any]:
    """The constraints without the values that drivers set: these follow the keys of their switches."""
    return {
        bone: [
            {
                name: value
                for name, value in each.items()
                if f'pose.bones["{bone}"].constraints["{each["name"]}"].{name}' not in found["driven"]
                and name not in ("error_location", "error_rotation", "is_valid", "enabled")
            }
            for each in constraints
        ]
        for bone, constraints in found["constraints"].items()
    }


def value(item: Rna) -> str:
    """A custom property; groups of them would tell their address."""
    return str(item.to_dict() if hasattr(item, "to_dict") else item)


def targets(constraint: Rna) -> list[Any]:
    return [(each.subtarget, each.weight) for each in getattr(constraint, "targets", ())]


def driver(curve: Rna) -> tuple[Any, ...]:
    variables = [(each.name, each.type, each.targets[0].data_path) for each in curve.driver.variables]
    return (curve.data_path, curve.array_index, curve.driver.type, curve.driver.expression, variables, curve.mute)


@pytest.fixture(scope="session")
def file(addon: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Rigify's human control rig with a walk in an NLA strip, an action of its own and an unkeyed pose."""
    ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    ops.preferences.addon_enable(module="rigify")
    ops.object.armature_human_metarig_add()
    metarig = context.object
    ops.pose.rigify_generate()
    made = context.object
    bpy.data.objects.remove(metarig)
    target, timeline = (importlib.import_module(f"{addon}.{name}") for name in ("target", "timeline"))
    timeline.write_strip(made, target.solve_motion(made, motions.walk(addon, frames=10), 20.0), "before", 1.0)
    made.animation_data.action = bpy.data.actions.new("own")
    made.pose.bones["head"].keyframe_insert("rotation_quaternion", frame=3)
    made.pose.bones["hand_fk.L"].rotation_mode = "ZXY"
    made.pose.bones["tweak_spine"].scale = (1.1, 1.0, 1.0)
    made.pose.bones["thigh_parent.L"]["IK_FK"] = 0.25
    context.scene.frame_set(5)
    path = str(tmp_path_factory.mktemp("untouched") / "rig.blend")
    ops.wm.save_as_mainfile(filepath=path)
    return path


@pytest.fixture
def rig(file: str) -> Rna:
    ops.wm.open_mainfile(filepath=file)
    return context.object


@pytest.fixture
def take(addon: str, rig: Rna) -> Rna:
    """A take in the list, not shown."""
    shared = importlib.import_module(f"{addon}.shared")
    context.scene.remodiffuse.show_preview = False
    provenance = shared.Provenance("a walk", 3.0, 1, "made by rule", "", "CC0-1.0", {}, ())
    arrive(addon, shared.Take(motions.walk(addon, frames=20), provenance), rig)
    return context.scene.remodiffuse


@pytest.mark.parametrize(
    ("into", "limbs", "travel"), [("ACTION", "FK", "HIPS"), ("STRIP", "IK", "OBJECT"), ("MERGE", "IK", "ROOT")]
)
def test_undo_brings_back_the_whole_rig(take: Rna, into: str, limbs: str, travel: str) -> None:
    rig = context.object
    name = rig.name
    take.insert.into = into
    rig.remodiffuse_retarget.limbs, rig.remodiffuse_retarget.travel = limbs, travel
    rig.remodiffuse_retarget.fingers = "FIST"
    context.view_layer.update()
    ops.ed.undo_push(message="before")
    before = everything(rig)
    assert len(before["pose"]) > 600
    ops.remodiffuse.accept_take("EXEC_DEFAULT", True)
    context.scene.frame_set(9)
    changed = everything(bpy.data.objects[name])
    for bone in before["bones"]:  # Rigify hides controls that its switches put out of work
        assert changed["bones"][bone] | {"hide": False} == before["bones"][bone] | {"hide": False}, bone
    for unchanged in ("drivers", "collections", "object constraints", "own custom"):
        assert changed[unchanged] == before[unchanged], unchanged
    assert without_driven(changed) == without_driven(before)
    assert changed["actions"] != before["actions"] or into == "MERGE"
    modes = [{bone: values["rotation_mode"] for bone, values in each["pose"].items()} for each in (before, changed)]
    assert modes[0] == modes[1]
    ops.ed.undo()
    after = everything(bpy.data.objects[name])
    for part, values in before.items():
        assert after[part] == values, part


@pytest.mark.parametrize(("limbs", "travel"), [("FK", "HIPS"), ("IK", "OBJECT")])
def test_rejecting_what_was_shown_brings_back_the_whole_rig(take: Rna, limbs: str, travel: str) -> None:
    rig = context.object
    rig.remodiffuse_retarget.limbs, rig.remodiffuse_retarget.travel = limbs, travel
    context.view_layer.update()
    before = everything(rig)
    take.show_preview = True
    assert take.review.preview is not None
    context.scene.frame_set(9)
    assert everything(rig)["pose"] != before["pose"]
    ops.remodiffuse.reject_takes()
    context.view_layer.update()
    after = everything(rig)
    for part, values in before.items():
        assert after[part] == values, part
