# SPDX-License-Identifier: GPL-3.0-or-later
"""What the animator does while the backend works: undo, rename, and upgrade the add-on itself."""

from __future__ import annotations

import importlib
import os
import time

import bpy
import pytest
from scenes import Rna, assert_ends, context, dump, generate, ops


def begin(takes: Rna) -> None:
    """Start a request, up to its sampling."""
    ops.remodiffuse.generate()
    deadline = time.monotonic() + 120
    while takes.session.job.stage != "sampling":
        assert time.monotonic() < deadline
        takes.update()
        time.sleep(0.002)


@pytest.fixture
def working(settings: Rna, takes: Rna) -> Rna:
    """The module `takes`, with a request that is being sampled."""
    ops.ed.undo_push(message="ready")
    settings.seconds = 9.0
    ops.ed.undo_push(message="longer")
    begin(takes)
    return takes


@pytest.mark.fault("undone while a request runs")
def test_undo_changes_nothing_of_the_request(working: Rna) -> None:
    ops.ed.undo()
    settings: Rna = context.scene.remodiffuse
    assert settings.seconds == 2.0
    before = dump()
    ops.remodiffuse.wait(timeout=120)
    assert [(take.prompt, take.seconds) for take in settings.takes] == [(settings.prompt, 9.0)]
    ops.remodiffuse.accept_take("EXEC_DEFAULT", True)
    assert context.object.animation_data.action.frame_range[1] > 150
    ops.ed.undo()  # accepted
    ops.ed.undo()  # takes
    assert dump() == before


@pytest.mark.fault("armature renamed while a request runs")
def test_a_renamed_armature_still_gets_its_take(working: Rna, armature: Rna) -> None:
    armature.name, armature.data.name = "Somebody else", "Other bones"
    ops.remodiffuse.wait(timeout=120)
    review: Rna = context.scene.remodiffuse.review
    assert review.armature == armature
    ops.remodiffuse.accept_take()
    assert armature.animation_data.action.frame_range[1] > 150


def test_undo_while_takes_are_taken_in_loses_none_and_doubles_none(settings: Rna, takes: Rna) -> None:
    """At every step of it; afterwards one undo leads to what there was before they came."""
    settings.count = 2
    ops.ed.undo_push(message="ready")
    before = dump()
    steps, undone = 0, -1
    while undone < steps:
        undone, steps = undone + 1, 0
        context.scene.remodiffuse.seconds = 2.5
        ops.ed.undo_push(message="longer")
        ops.remodiffuse.generate()
        while takes.session.job:
            takes.update()
            if takes.session.arrival:
                steps += 1
                if steps == undone:
                    ops.ed.undo()
            time.sleep(0.002)
        assert context.scene.remodiffuse.seconds == (2.0 if 0 < undone <= steps else 2.5)
        assert len(context.scene.remodiffuse.takes) == 2
        assert context.object.animation_data.action.name.startswith("Preview of")
        ops.ed.undo()
        assert len(context.scene.remodiffuse.takes) == 0
        if not 0 < undone <= steps:
            ops.ed.undo()
        assert dump() == before
    assert steps > 3


def arrive(takes: Rna) -> None:
    """Until the takes of a request have come."""
    ops.remodiffuse.generate()
    while not takes.session.arrival:
        takes.update()
        time.sleep(0.002)


def test_what_is_set_while_takes_are_taken_in_holds_for_them(settings: Rna, takes: Rna) -> None:
    arrive(takes)
    settings.insert.in_place = True
    takes.wait(60)
    first, last = 1, int(context.scene.frame_preview_end)
    places = []
    for frame in (first, last):
        context.scene.frame_set(frame)
        places.append(context.object.pose.bones["pelvis"].matrix.translation.copy())
    assert (places[1] - places[0]).length < 0.2


def test_an_armature_deleted_while_takes_are_taken_in(settings: Rna, takes: Rna) -> None:
    arrive(takes)
    bpy.data.objects.remove(context.object)
    takes.wait(60)
    assert len(settings.takes) == 1
    assert not settings.review.before


def test_a_file_opened_while_takes_are_taken_in(settings: Rna, takes: Rna) -> None:
    arrive(takes)
    ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with pytest.raises(Exception, match="no longer open"):
        takes.wait(60)
    assert len(context.scene.remodiffuse.takes) == 0


def test_flipping_after_undo_shows_the_take_where_the_character_stood(settings: Rna) -> None:
    """What plays beneath the preview is remembered; it must be what plays there now."""
    settings.count = 2
    settings.insert.into = "STRIP"
    settings.insert.blend_out = 4
    context.object.pose.bones["pelvis"].location = (0.3, 0.0, 0.2)
    context.object.pose.bones["pelvis"].keyframe_insert("location", frame=1)
    generate()
    hips = context.object.pose.bones["pelvis"]
    first = hips.matrix.copy()
    for _ in range(2):
        ops.remodiffuse.flip_take("EXEC_DEFAULT", True)
    assert (context.object.pose.bones["pelvis"].matrix.translation - first.translation).length < 1e-5
    ops.ed.undo()
    ops.ed.undo()
    ops.remodiffuse.reject_takes()
    # Somewhere else.
    context.object.pose.bones["pelvis"].location = (2.0, 0.0, 0.2)
    context.object.pose.bones["pelvis"].keyframe_insert("location", frame=1)
    generate()
    moved = context.object.pose.bones["pelvis"].matrix.translation
    assert (moved - first.translation).length > 1.0
    ops.remodiffuse.flip_take()
    assert (context.object.pose.bones["pelvis"].matrix.translation - moved).length < 1e-5


@pytest.mark.fault("add-on upgraded while a request runs")
def test_an_upgrade_ends_the_old_process_and_the_new_add_on_works(addon: str, backend_python: str) -> None:
    # No fixture holds the preferences: Blender frees them when it replaces the add-on.
    context.preferences.addons[addon].preferences.python = backend_python
    importlib.import_module(f"{addon}.rig.armature").build_skeleton("Hero")
    context.scene.remodiffuse.prompt = "a person walks forward"
    old = importlib.import_module(f"{addon}.takes")
    begin(old)
    pid = old.session.client.pid
    ops.extensions.package_install_files(
        filepath=os.environ["REMODIFFUSE_ZIP"], repo="user_default", enable_on_install=True
    )
    assert_ends(pid)
    new = importlib.import_module(f"{addon}.takes")
    assert new is not old
    assert len(context.scene.remodiffuse.takes) == 0
    assert context.preferences.addons[addon].preferences.python == backend_python
    generate()
    assert len(context.scene.remodiffuse.takes) == 1
    new.end()
    context.preferences.addons[addon].preferences.python = ""
