# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes on the timeline: new action, strip, merged keys; placed, blended, looped; one undo for each."""

from __future__ import annotations

import importlib
import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from scenes import Rna, context, dump, generate, keys, ops, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

PROMPT = "a person walks forward"


@pytest.fixture
def walked(settings: Rna) -> Rna:
    """The armature walks from frame 1 on, in an action of its own; another take is under review."""
    context.scene.render.fps = 20
    generate()
    ops.remodiffuse.accept_take()
    settings.takes.clear()
    settings.seed = 8
    generate()
    return settings


def hips(frame: float) -> Rna:
    context.scene.frame_set(int(frame), subframe=frame % 1)
    return context.active_object.pose.bones["pelvis"].matrix.copy()


def insert(settings: Rna, **wanted: object) -> Rna:
    """Accepts with these settings in one undo step, and checks that undo and redo bring back what was."""
    for name, value in wanted.items():
        setattr(settings.insert, name, value)
    ops.ed.undo_push(message="before")
    before = dump()
    ops.remodiffuse.accept_take("EXEC_DEFAULT", True)
    after = dump()
    assert after != before
    ops.ed.undo()
    assert dump() == before
    ops.ed.redo()
    assert dump() == after
    return context.active_object.animation_data


def test_a_strip_goes_on_from_where_the_walk_ends(walked: Rna) -> None:
    data = insert(walked, into="STRIP", place="END")
    assert data.action is None
    below, above = data.nla_tracks
    assert below.strips[0].action.name == PROMPT
    strip = above.strips[0]
    assert strip.frame_start == 41
    assert strip.action_slot is not None
    # In one step of the walk the hips move as far as in any other.
    assert (hips(41).translation - hips(40).translation).length < 0.08
    start, end = hips(41).translation, hips(80).translation
    assert (end - start).length > 0.2
    # It walks on, it does not begin again.
    assert (end - hips(1).translation).length > (start - hips(1).translation).length + 0.2
    # And the old action plays as before.
    assert json.loads(strip.action["remodiffuse"])["seed"] == 8


def poses(last: int) -> list[dict[str, Rna]]:
    """Matrices of all bones in the frames 1 to `last`."""
    found = []
    for frame in range(1, last + 1):
        context.scene.frame_set(frame)
        found.append({bone.name: bone.matrix.copy() for bone in context.active_object.pose.bones})
    return found


def longest_step(found: list[dict[str, Rna]], name: str) -> float:
    return max((after[name].translation - before[name].translation).length for before, after in pairwise(found))


def largest_turn(found: list[dict[str, Rna]], name: str) -> float:
    """From frame to frame, radians."""
    turns = [
        after[name].to_quaternion().rotation_difference(before[name].to_quaternion()).angle
        for before, after in pairwise(found)
    ]
    return max(min(turn, 6.2832 - turn) for turn in turns)


def test_nothing_pops_where_a_strip_begins(walked: Rna) -> None:
    ops.remodiffuse.reject_takes()
    walk = poses(40)
    generate()
    insert(walked, into="STRIP", place="FRAME", frame=20, blend_in=6)
    joined = poses(21)[-3:]
    for name in joined[0]:
        # No farther from frame to frame than the walk by itself goes.
        assert longest_step(joined, name) < max(0.15, 1.1 * longest_step(walk, name)), name
        assert largest_turn(joined, name) < max(0.35, 1.1 * largest_turn(walk, name)), name


def test_merged_keys_leave_all_others_alone(walked: Rna) -> None:
    ops.remodiffuse.reject_takes()
    old = context.active_object.animation_data.action
    before = keys(old)
    walked.seconds = 1.0
    generate()
    data = insert(walked, into="MERGE", place="FRAME", frame=11, blend_in=4, blend_out=4)
    assert data.action.name == PROMPT
    after = keys(data.action)
    for curve, points in before.items():
        outside = [point for point in points if not 11 <= point[0] <= 30]
        assert [point for point in after[curve] if not 11 <= point[0] <= 30] == outside
    assert after != before
    # Where the blend begins and ends the keys are the old ones.
    for curve, points in before.items():
        old_values, values = dict(points), dict(after[curve])
        for frame in (11, 30):
            if len(points) > 1:
                assert values[frame] == pytest.approx(old_values[frame], abs=1e-4), (curve, frame)


def test_the_preview_range_is_replaced(walked: Rna) -> None:
    ops.remodiffuse.reject_takes()
    scene = context.scene
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 11, 20
    generate()
    data = insert(walked, into="STRIP", place="RANGE")
    strip = data.nla_tracks[1].strips[0]
    assert (strip.frame_start, strip.frame_end) == (11, 20)
    assert (context.scene.frame_preview_start, context.scene.frame_preview_end) == (11, 20)


def test_a_walk_is_looped(walked: Rna) -> None:
    ops.remodiffuse.reject_takes()
    walked.seconds = 4.0
    generate()
    data = insert(walked, into="ACTION", loop=True, loop_seconds=12.0, continues=False)
    assert data.action.frame_end - data.action.frame_start == pytest.approx(239, abs=1)
    steps = [(hips(f + 1).translation - hips(f).translation).length for f in range(1, 235)]
    assert max(steps) < 0.15


def test_in_place_does_not_travel(walked: Rna) -> None:
    insert(walked, in_place=True, continues=False)
    apart = hips(40).translation - hips(1).translation
    assert abs(apart.x) < 0.15
    assert abs(apart.y) < 0.15


def test_continuing_turns_with_the_character(walked: Rna, addon: str) -> None:
    """The second walk goes on along the way that the first one turned to."""
    import mathutils

    ops.remodiffuse.reject_takes()
    armature = context.active_object
    armature.animation_data_clear()
    for bone in armature.pose.bones:
        bone.matrix_basis.identity()
    turn = mathutils.Matrix.Rotation(1.2, 4, "Z")
    armature.pose.bones["pelvis"].matrix = turn @ armature.pose.bones["pelvis"].matrix
    context.view_layer.update()
    walked.seconds = 4.0
    walked.insert.continues = True
    generate()
    ops.remodiffuse.accept_take()
    # Where it sets out to: a walk may bend later.
    way = hips(30).translation - hips(1).translation
    # A character that faces -Y, turned by 1.2 about Z.
    ahead = turn @ mathutils.Vector((0.0, -1.0, 0.0))
    assert way.length > 0.5
    assert way.normalized().dot(ahead) > 0.9


def test_an_asset_has_description_licence_and_tags(walked: Rna) -> None:
    data = insert(walked, as_asset=True)
    asset = data.action.asset_data
    assert asset.description == PROMPT
    assert asset.license
    assert {"walks", "forward"} <= {tag.name for tag in asset.tags}


BAD = {
    "no range": (lambda s: setattr(s.insert, "place", "RANGE"), "no preview range"),
    "no action": (lambda s: setattr(s.insert, "into", "MERGE"), "no active action"),
}


@pytest.mark.parametrize(("spoil", "remedy"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_inserted_is_told(settings: Rna, spoil: Callable[[Rna], None], remedy: str) -> None:
    generate()
    spoil(settings)
    context.view_layer.update()  # else the poses from before are those that nobody has asked for yet
    before = dump()
    assert remedy in refusal(ops.remodiffuse.accept_take)
    assert dump() == before


def test_what_has_no_cycle_is_told(settings: Rna) -> None:
    settings.prompt, settings.seconds = "a person sits down", 1.0
    generate()
    settings.insert.loop = True
    before = dump()
    assert "cannot be looped" in refusal(ops.remodiffuse.accept_take)
    assert dump() == before


def test_exporters_write_the_motion(settings: Rna, tmp_path: Any) -> None:  # noqa: ANN401
    generate()
    ops.remodiffuse.accept_take()
    importlib.import_module("addon_utils")
    for module in ("io_scene_fbx", "io_scene_gltf2", "io_anim_bvh"):
        if module not in context.preferences.addons:
            try:
                ops.preferences.addon_enable(module=module)
            except RuntimeError:
                continue
    context.scene.frame_end = 40
    written = {}
    ops.export_scene.fbx(filepath=str(tmp_path / "a.fbx"), bake_anim=True, object_types={"ARMATURE"})
    written["fbx"] = tmp_path / "a.fbx"
    ops.export_scene.gltf(filepath=str(tmp_path / "a.glb"), export_animations=True)
    written["glb"] = tmp_path / "a.glb"
    if hasattr(bpy.types, "EXPORT_ANIM_OT_bvh") or "io_anim_bvh" in context.preferences.addons:
        ops.export_anim.bvh(filepath=str(tmp_path / "a.bvh"), frame_start=1, frame_end=40)
        assert "Frames: 40" in (tmp_path / "a.bvh").read_text()
        written["bvh"] = tmp_path / "a.bvh"
    # What is read again moves as far as what was written.
    travel = (hips(40).translation - hips(1).translation).length
    for kind, file in written.items():
        ops.wm.read_homefile(use_empty=True)
        context.scene.render.fps = 24
        readers = {"fbx": ops.import_scene.fbx, "glb": ops.import_scene.gltf, "bvh": ops.import_anim.bvh}
        readers[kind](filepath=str(file))
        armature: Rna = next(each for each in bpy.data.objects if each.type == "ARMATURE")
        context.view_layer.objects.active = armature
        bone = armature.pose.bones["pelvis"]
        places = []
        for frame in (1, 40):
            context.scene.frame_set(frame)
            places.append((armature.matrix_world @ bone.matrix).translation.copy())
        assert (places[1] - places[0]).length == pytest.approx(travel, rel=0.1), kind
