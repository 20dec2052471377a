# SPDX-License-Identifier: GPL-3.0-or-later
"""From takes to an action on the armature: accept, reject, and one undo for each."""

from __future__ import annotations

import base64
import importlib
import json
from typing import TYPE_CHECKING

import bpy
import pytest
from scenes import Rna, context, dump, generate, keys, ops, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROMPT = "a person walks forward"


@pytest.fixture
def reviewed(settings: Rna) -> Rna:
    """The scene's settings with two takes in the list."""
    settings.count = 2
    generate()
    ops.ed.undo_push(message="reviewed")
    return settings


def active_action() -> Rna:
    return context.active_object.animation_data.action


def test_accept_makes_an_action_that_plays(reviewed: Rna) -> None:
    ops.remodiffuse.accept_take()
    data = context.active_object.animation_data
    assert data.action.name == PROMPT
    assert data.action_slot is not None
    assert len(keys(data.action)) >= 22 * 3
    assert reviewed.takes[0].accepted
    assert not reviewed.takes[1].accepted
    hips = context.active_object.pose.bones["pelvis"]
    context.scene.frame_set(1)
    first = hips.matrix.translation.copy()
    context.scene.frame_set(40)
    assert (hips.matrix.translation - first).length > 0.2


def test_an_action_starts_at_the_playhead_in_the_rate_of_the_scene(reviewed: Rna) -> None:
    context.scene.render.fps = 30
    context.scene.frame_set(60)
    ops.remodiffuse.move_to_playhead()
    assert active_action().frame_start == 60
    ops.remodiffuse.accept_take()
    frames = [frame for frame, _ in next(iter(keys(active_action()).values()))]
    assert frames[0] == 60
    # 40 frames at 20 a second, 39 steps of 0.05 s.
    assert frames[-1] == pytest.approx(60 + 39 / 20 * 30, abs=1)
    assert context.scene.frame_current == 1


def test_the_action_remembers_where_it_comes_from(reviewed: Rna) -> None:
    ops.remodiffuse.accept_take(index=1)
    action = active_action()
    assert (action["prompt"], action["seconds"], action["seed"]) == (PROMPT, 2.0, 4)
    assert action["licence"]
    origin = json.loads(action["remodiffuse"])
    assert (origin["prompt"], origin["seed"]) == (PROMPT, 4)
    assert origin["model_hash"]
    assert len(origin["references"]) == len(reviewed.takes[1].references)


def test_one_undo_takes_accept_back_and_redo_repeats_it(reviewed: Rna) -> None:
    before = dump()
    ops.remodiffuse.accept_take("EXEC_DEFAULT", True)
    after = dump()
    assert before != after
    ops.ed.undo()
    assert dump() == before
    ops.ed.redo()
    assert dump() == after


def test_one_undo_takes_reject_back(reviewed: Rna) -> None:
    before = dump()
    ops.remodiffuse.reject_takes("EXEC_DEFAULT", True)
    assert len(context.scene.remodiffuse.takes) == 0
    ops.ed.undo()
    assert dump() == before
    ops.remodiffuse.accept_take()
    assert active_action().name == PROMPT


def test_the_action_before_is_kept(settings: Rna) -> None:
    armature: Rna = context.active_object
    armature.pose.bones["head"].keyframe_insert("rotation_quaternion")
    old: Rna = armature.animation_data.action
    before = keys(old)
    generate()
    ops.remodiffuse.accept_take()
    assert active_action() != old
    assert old.use_fake_user
    assert keys(old) == before
    # The one that several objects share is safe without.
    shared: Rna = bpy.data.actions.new("shared")
    for each in (armature, bpy.data.objects.new("Other", None)):
        data: Rna = each.animation_data_create()
        data.action = shared
    ops.remodiffuse.accept_take()
    assert not shared.use_fake_user


def test_the_active_take_plays_on_the_armature(reviewed: Rna) -> None:
    hips = context.active_object.pose.bones["pelvis"]
    assert active_action().name.startswith("Preview of")
    assert context.scene.use_preview_range
    context.scene.frame_set(40)
    first = hips.matrix.copy()
    ops.remodiffuse.flip_take()
    assert reviewed.active_take == 1
    assert context.scene.frame_current == 40
    context.view_layer.update()
    assert hips.matrix != first
    ops.remodiffuse.flip_take(step=1)
    assert reviewed.active_take == 0
    assert len(bpy.data.actions) == 1


def animated(armature: Rna) -> None:
    """An armature in the middle of work: two slots, a solo track, a pose without keys, a preview range."""
    bones = armature.pose.bones
    for frame, turn in ((1, 0.0), (30, 0.5)):
        bones["head"].rotation_quaternion = (1.0, turn, 0.0, 0.0)
        bones["head"].keyframe_insert("rotation_quaternion", frame=frame)
    data = armature.animation_data
    strips = data.nla_tracks.new().strips
    strips.new("look", 50, data.action)
    data.nla_tracks[0].is_solo = True
    data.action.slots.new(id_type="OBJECT", name="Second")
    data.action_influence, data.action_blend_type = 0.5, "COMBINE"
    scene = context.scene
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 5, 25
    scene.frame_set(13)
    bones["left_elbow"].rotation_quaternion = (0.9, 0.1, 0.2, 0.3)
    bones["head"].location = (0.1, 0.0, 0.0)
    bones["head"].rotation_mode = "XYZ"
    bones["head"].rotation_euler = (0.3, 0.2, 0.1)
    bones["head"]["mood"] = 0.25


def without_takes(dumped: dict) -> dict:
    scenes = {name: {**scene, "takes": None, "insert": None} for name, scene in dumped["scenes"].items()}
    return {**dumped, "scenes": scenes}


@pytest.mark.parametrize("way", ["at once", "after playing", "after undo", "saved and opened"])
def test_reject_brings_back_everything(settings: Rna, way: str, tmp_path: Path) -> None:
    animated(context.active_object)
    # Undo and files keep what is in a file alone: the state to come back to is the one after them.
    ops.ed.undo_push(message="before")
    settings.count = 2
    before = without_takes(dump())
    generate()
    assert without_takes(dump()) != before
    match way:
        case "after playing":
            context.scene.frame_set(33)
            ops.remodiffuse.flip_take()
            context.scene.frame_set(2)
        case "after undo":
            ops.remodiffuse.flip_take("EXEC_DEFAULT", True)
            ops.remodiffuse.reject_takes("EXEC_DEFAULT", True)
            ops.ed.undo()
        case "saved and opened":
            ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
            ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
            assert active_action().name.startswith("Preview of")
    ops.remodiffuse.reject_takes()
    assert without_takes(dump()) == before
    assert len(context.scene.remodiffuse.takes) == 0


def test_takes_come_in_one_undo_step_with_their_preview(settings: Rna) -> None:
    animated(context.active_object)
    ops.ed.undo_push(message="before")
    before = dump()
    generate()
    ops.ed.undo()
    assert dump() == before


def test_without_animation_data_there_is_none_afterwards(reviewed: Rna) -> None:
    ops.remodiffuse.reject_takes()
    assert context.active_object.animation_data is None


def test_keys_that_were_set_on_the_preview_are_not_lost(reviewed: Rna) -> None:
    context.scene.frame_set(7)
    context.active_object.pose.bones["head"].rotation_quaternion = (0.0, 1.0, 0.0, 0.0)
    context.active_object.pose.bones["head"].keyframe_insert("rotation_quaternion")
    ops.remodiffuse.reject_takes()
    assert [action.name for action in bpy.data.actions] == [f"Edited {PROMPT} #3"]
    assert bpy.data.actions[0].use_fake_user


def test_a_star_keeps_a_take(reviewed: Rna) -> None:
    ops.remodiffuse.star_take(index=1)
    seed = reviewed.takes[1].seed
    ops.remodiffuse.reject_takes()
    assert [take.seed for take in reviewed.takes] == [seed]
    ops.remodiffuse.remove_take()
    assert len(reviewed.takes) == 0


def test_takes_say_how_feet_slide_and_how_they_differ(reviewed: Rna) -> None:
    assert all(0.0 <= take.slide < 10.0 for take in reviewed.takes)
    assert reviewed.takes[0].difference == 0.0
    assert reviewed.takes[1].difference > 0.5


def test_accept_changes_nothing_but_the_action(settings: Rna) -> None:
    before = dump()
    generate()
    ops.remodiffuse.accept_take()
    after = dump()
    assert set(after["actions"]) - set(before["actions"]) == {PROMPT}
    after["actions"] = before["actions"]
    # The new action shows on the armature at once.
    for part in ("animation", "pose"):
        after["objects"]["Hero"][part] = before["objects"]["Hero"][part]
    after["scenes"]["Scene"]["takes"] = before["scenes"]["Scene"]["takes"]
    assert after == before


def test_a_take_can_be_accepted_twice_and_on_another_armature(reviewed: Rna, addon: str) -> None:
    ops.remodiffuse.accept_take()
    importlib.import_module(f"{addon}.rig.armature").build_skeleton("Other")
    ops.remodiffuse.accept_take()
    objects: Rna = bpy.data.objects
    hero, other = (objects[name].animation_data.action for name in ("Hero", "Other"))
    assert hero != other
    assert keys(hero) == keys(other)


def test_takes_survive_saving_and_opening(reviewed: Rna, tmp_path: Path) -> None:
    frames = [take.frame for take in reviewed.takes]
    ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    ops.wm.read_homefile(use_empty=True)
    ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    opened: Rna = context.scene.remodiffuse
    assert [take.frame for take in opened.takes] == frames
    assert opened.takes[0].references[0].caption
    ops.remodiffuse.accept_take()
    assert active_action().name == PROMPT


def _no_take() -> None:
    context.scene.remodiffuse.takes.clear()


def _no_armature() -> None:
    context.view_layer.objects.active = None


def _no_humanoid() -> None:
    ops.object.armature_add()


def _garbage() -> None:
    context.scene.remodiffuse.takes[0].frame = "no base64!"


def _empty() -> None:
    context.scene.remodiffuse.takes[0].frame = ""


def _cut_off() -> None:
    take = context.scene.remodiffuse.takes[0]
    take.frame = base64.b64encode(base64.b64decode(take.frame)[:-100]).decode()


BAD_STATES = {
    "no take": (_no_take, "Generate some first"),
    "no armature": (_no_armature, "Click on the character's armature"),
    "no humanoid": (_no_humanoid, "human figure"),
    "garbage": (_garbage, "is damaged"),
    "empty": (_empty, "is damaged"),
    "cut off": (_cut_off, "is damaged"),
}


@pytest.mark.parametrize(("spoil", "remedy"), BAD_STATES.values(), ids=BAD_STATES.keys())
def test_what_cannot_be_accepted_is_told(reviewed: Rna, spoil: Callable[[], None], remedy: str) -> None:
    spoil()
    before = dump()
    assert remedy in refusal(ops.remodiffuse.accept_take)
    assert dump() == before


def test_a_take_that_is_not_in_the_list_is_told(reviewed: Rna) -> None:
    assert "There is no take 2" in refusal(lambda: ops.remodiffuse.accept_take(index=2))


def test_a_linked_armature_is_told(reviewed: Rna, tmp_path: Path) -> None:
    file = str(tmp_path / "hero.blend")
    ops.wm.save_as_mainfile(filepath=file)
    context.scene.name = "Here"
    ops.wm.save_as_mainfile(filepath=str(tmp_path / "here.blend"))
    libraries: Rna = bpy.data.libraries
    with libraries.load(file, link=True) as (_, wanted):
        wanted.objects = ["Hero"]
    context.collection.objects.link(wanted.objects[0])
    context.view_layer.objects.active = wanted.objects[0]
    assert "library override" in refusal(ops.remodiffuse.accept_take)


def test_tweak_mode_is_told(reviewed: Rna) -> None:
    ops.remodiffuse.accept_take()
    data: Rna = context.active_object.animation_data
    track = data.nla_tracks.new()
    track.strips.new("walk", 1, data.action)
    data.action = None
    track.is_solo = False
    data.nla_tracks.active = track
    track.strips[0].select = True
    data.use_tweak_mode = True
    assert data.use_tweak_mode
    assert "tweak mode" in refusal(ops.remodiffuse.accept_take)
