# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions made anew in part, gaps filled, rows of prompts, and references that the animator chose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from libraries import search, state
from scenes import Rna, context, dump, generate, keys, ops, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROMPT = "a person walks forward"


@pytest.fixture
def walk(settings: Rna) -> Rna:
    """An accepted walk of 4 seconds at 20 frames a second, and nothing under review."""
    context.scene.render.fps = 20
    settings.seconds = 4.0
    generate()
    ops.remodiffuse.accept_take()
    ops.remodiffuse.reject_takes()
    settings.prompt = "something else"
    return settings


def wait() -> None:
    ops.remodiffuse.wait(timeout=120)


def active_action() -> Rna:
    return context.active_object.animation_data.action


def pose(frame: int) -> dict[str, Rna]:
    context.scene.frame_set(frame)
    return {bone.name: bone.matrix.copy() for bone in context.active_object.pose.bones}


def apart(a: dict[str, Rna], b: dict[str, Rna]) -> float:
    return max((a[name].translation - b[name].translation).length for name in a)


def test_another_seed_of_an_old_action(walk: Rna, tmp_path: Path) -> None:
    ops.wm.save_as_mainfile(filepath=str(tmp_path / "old.blend"))
    ops.wm.open_mainfile(filepath=str(tmp_path / "old.blend"))
    ops.remodiffuse.another_seed()
    wait()
    (take,) = context.scene.remodiffuse.takes
    assert take.prompt == PROMPT
    assert take.seconds == pytest.approx(4.0)
    assert take.seed != 3


def test_only_a_range_of_an_action_changes(walk: Rna) -> None:
    before = keys(active_action())
    poses = {frame: pose(frame) for frame in (1, 25, 40, 55, 80)}
    context.scene.frame_set(1)
    wanted = walk.resample
    wanted.use_range, wanted.start, wanted.end, wanted.strength = True, 31, 50, 1.0
    wanted.prompt = "a person walks forward and waves"
    ops.remodiffuse.resample()
    wait()
    # The preview shows the whole: outside the range what was there, within 1 cm.
    for frame in (1, 25, 55, 80):
        assert apart(pose(frame), poses[frame]) < 0.01, frame
    assert apart(pose(40), poses[40]) > 0.005
    ops.remodiffuse.reject_takes()
    assert keys(active_action()) == before

    context.scene.frame_set(1)
    ops.remodiffuse.resample()
    wait()
    walk = context.scene.remodiffuse
    walk.insert.into = "MERGE"
    ops.ed.undo_push(message="before")
    state = dump()
    ops.remodiffuse.accept_take("EXEC_DEFAULT", True)
    after = keys(active_action())
    for curve, points in before.items():
        assert [p for p in after[curve] if not 31 <= p[0] <= 50] == [p for p in points if not 31 <= p[0] <= 50]
    for frame in (30, 50):
        assert apart(pose(frame), pose(frame + 1)) < 0.25, frame
    ops.ed.undo()
    assert dump() == state


def test_only_an_arm_changes(walk: Rna) -> None:
    poses = {frame: pose(frame) for frame in (1, 40)}
    context.scene.frame_set(1)
    wanted = walk.resample
    wanted.use_parts, wanted.parts, wanted.strength = True, {"LEFT_ARM"}, 1.0
    wanted.prompt = "a person waves with the left hand"
    ops.remodiffuse.resample()
    wait()
    for frame, old in poses.items():
        new = pose(frame)
        others = {name: matrix for name, matrix in new.items() if not name.startswith("left_")}
        assert apart(others, old) < 0.01
    assert "left_elbow" in json.dumps(_provenance()["sampler"]["changed"])


def _provenance() -> dict:
    ops.remodiffuse.accept_take()
    return json.loads(active_action()["remodiffuse"])


def test_a_take_is_varied_closely(settings: Rna) -> None:
    generate()
    settings.resample.strength = 0.1
    settings.count = 2
    ops.remodiffuse.resample()
    wait()
    assert len(settings.takes) == 3
    assert settings.takes[2].difference > 0.1


def test_a_gap_between_two_poses_is_filled(settings: Rna) -> None:
    context.scene.render.fps = 20
    pelvis = context.active_object.pose.bones["pelvis"]
    for frame, place in ((10, 0.0), (50, 1.2)):
        # Along the bone's own axes; what they are does not matter here.
        pelvis.location = (0.0, 0.0, place)
        pelvis.keyframe_insert("location", frame=frame)
    before = {frame: pose(frame) for frame in (10, 50)}
    scene = context.scene
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 10, 50
    settings.insert.into = "MERGE"
    ops.remodiffuse.fill_gap()
    wait()
    assert settings.takes[0].prompt == settings.prompt
    ops.remodiffuse.accept_take()
    for frame, old in before.items():
        assert apart(pose(frame), old) < 0.02
    assert apart(pose(30), before[10]) > 0.2


def test_a_row_of_prompts(settings: Rna) -> None:
    ops.ed.undo_push(message="before")
    before = dump()
    ops.remodiffuse.add_prompt("EXEC_DEFAULT", True)
    ops.ed.undo()
    assert dump() == before
    settings = context.scene.remodiffuse
    for prompt in ("a person sits down", "a person waves", "a person jumps"):
        ops.remodiffuse.add_prompt()
        settings.row[-1].prompt, settings.row[-1].seconds = prompt, 2.0
    ops.remodiffuse.remove_prompt(index=2)
    generate()
    (take,) = settings.takes
    assert take.prompt == f"{PROMPT}, then a person sits down, then a person waves"
    assert take.seconds == pytest.approx(6.0)
    row = _provenance()["sampler"]["row"]
    assert [part["prompt"] for part in row] == [PROMPT, "a person sits down", "a person waves"]


def test_pins_and_bans(settings: Rna) -> None:
    generate()
    best = settings.takes[0].references[0]
    chosen = {"library": best.library, "clip": best.clip, "caption": best.caption}
    ops.ed.undo_push(message="before")
    before = dump()
    ops.remodiffuse.choose_reference("EXEC_DEFAULT", True, **chosen, banned=True)
    ops.ed.undo()
    assert dump() == before
    settings = context.scene.remodiffuse
    ops.remodiffuse.choose_reference(**chosen, banned=True)
    generate()
    assert chosen["clip"] not in [each.clip for each in settings.takes[1].references]
    ops.remodiffuse.choose_reference(**chosen, banned=False)
    assert [each.banned for each in settings.choices] == [False]
    generate()
    assert settings.takes[2].references[0].clip == chosen["clip"]
    ops.remodiffuse.clear_choices()
    assert len(settings.choices) == 0
    assert "Pin or ban one" in refusal(ops.remodiffuse.clear_choices)


def test_a_reference_is_replaced_by_the_clip_that_is_chosen_in_the_library(desk: Rna, settings: Rna) -> None:
    generate()
    old = settings.takes[0].references[0]
    gone = {"library": old.library, "clip": old.clip, "caption": old.caption}
    assert "Search one there" in refusal(lambda: ops.remodiffuse.replace_reference(**gone))
    search("a person sits down")
    found = state()
    found.active = next(index for index, each in enumerate(found.found) if each.clip != gone["clip"])
    new = found.found[found.active].clip
    ops.ed.undo_push(message="before")
    before = dump()
    ops.remodiffuse.replace_reference("EXEC_DEFAULT", True, **gone)
    ops.ed.undo()
    assert dump() == before
    settings = context.scene.remodiffuse
    ops.remodiffuse.replace_reference(**gone)
    assert [(each.clip, each.banned) for each in settings.choices] == [(gone["clip"], True), (new, False)]
    generate()
    assert settings.takes[-1].references[0].clip == new
    assert gone["clip"] not in [each.clip for each in settings.takes[-1].references]
    same = {"library": found.found[found.active].library, "clip": new, "caption": "the same"}
    assert "Click on another one" in refusal(lambda: ops.remodiffuse.replace_reference(**same))


def _no_range(settings: Rna) -> None:
    settings.resample.use_range, settings.resample.start, settings.resample.end = True, 500, 600


def _no_parts(settings: Rna) -> None:
    settings.resample.use_parts, settings.resample.parts = True, set()


BAD = {
    "no range": (_no_range, "choose some of these"),
    "no parts": (_no_parts, "Choose some"),
}


@pytest.mark.parametrize(("spoil", "remedy"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_made_anew_is_told(walk: Rna, spoil: Callable[[Rna], None], remedy: str) -> None:
    spoil(walk)
    before = dump()
    assert remedy in refusal(ops.remodiffuse.resample)
    assert dump() == before


def test_a_damaged_provenance_is_told(walk: Rna) -> None:
    active_action()["remodiffuse"] = json.dumps({"prompt": "a", "seconds": "long"})
    assert "damaged" in refusal(ops.remodiffuse.another_seed)


def test_without_a_motion_it_is_told(settings: Rna) -> None:
    assert "Generate a motion" in refusal(ops.remodiffuse.another_seed)
    assert "no preview range" in refusal(ops.remodiffuse.fill_gap)
