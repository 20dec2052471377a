# SPDX-License-Identifier: GPL-3.0-or-later
"""From the prompt to the takes, with the real backend: and what happens when it goes wrong."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from scenes import Rna, assert_ends, context, dump, generate, ops, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROMPT = "a person walks forward"


def update_until(takes: Rna, wanted: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < deadline, takes.session
        takes.update()
        time.sleep(0.002)


def test_a_prompt_becomes_takes(settings: Rna) -> None:
    settings.count = 2
    generate()
    assert [(take.prompt, take.seed, take.accepted) for take in settings.takes] == [
        (PROMPT, 3, False),
        (PROMPT, 4, False),
    ]
    assert settings.active_take == 0


def test_references_are_shown(settings: Rna) -> None:
    generate()
    references = settings.takes[0].references
    assert len(references) > 0
    for reference in references:
        assert reference.caption
        assert reference.licence
        assert 0 < reference.score <= 1


def test_generating_again_adds_takes(settings: Rna) -> None:
    generate()
    settings.seed = 9
    generate()
    assert [take.seed for take in settings.takes] == [3, 9]
    assert settings.active_take == 1


def test_the_same_seed_gives_the_same_take_and_another_one_another(settings: Rna) -> None:
    for seed in (3, 3, 4):
        settings.seed = seed
        generate()
    first, again, other = (take.frame for take in settings.takes)
    assert first == again
    assert first != other


def test_undo_takes_the_takes_back(settings: Rna) -> None:
    ops.ed.undo_push(message="before")
    before = dump()
    generate()
    assert dump() != before
    ops.ed.undo()
    assert dump() == before


def test_blender_is_never_held_up(settings: Rna, takes: Rna) -> None:
    settings.count = 4
    held = []

    def timed(function: Callable[[], object]) -> None:
        # The thread's own time: what other processes do on a busy machine is not our doing.
        started = time.thread_time(), time.perf_counter()
        function()
        held.append((time.thread_time() - started[0], time.perf_counter() - started[1]))

    timed(ops.remodiffuse.generate)
    while takes.session.job:
        timed(takes.update)
        time.sleep(0.01)
    assert len(settings.takes) == 4
    # The last call takes in the takes and begins to play one: by then nothing is being generated any more.
    busy, wall = zip(*held[:-1], strict=True)
    assert max(busy) < 0.02
    assert max(wall) < 1.0


def test_cancel_leaves_the_scene_as_it_was(settings: Rna, takes: Rna) -> None:
    before = dump()
    ops.remodiffuse.generate()
    update_until(takes, lambda: takes.session.job.stage == "sampling")
    assert "on its way" in refusal(ops.remodiffuse.generate)
    ops.remodiffuse.cancel()
    ops.remodiffuse.wait(timeout=30)
    assert dump() == before
    generate()
    assert len(settings.takes) == 1


def test_cancel_works_while_the_backend_starts(settings: Rna, takes: Rna) -> None:
    takes.stop()
    ops.remodiffuse.generate()
    ops.remodiffuse.cancel()
    ops.remodiffuse.wait(timeout=60)
    assert takes.session.error is None
    assert len(settings.takes) == 0


def test_killed_while_generating_it_says_so_and_the_next_one_works(settings: Rna, takes: Rna) -> None:
    before = dump()
    ops.remodiffuse.generate()
    update_until(takes, lambda: takes.session.job.stage == "sampling")
    os.kill(takes.session.client.pid, signal.SIGKILL)
    told = refusal(ops.remodiffuse.wait)
    assert "ended unexpectedly" in told
    assert "Press Generate" in told
    assert dump() == before
    generate()
    assert takes.session.error is None
    assert len(settings.takes) == 1


def test_restart_replaces_the_process(settings: Rna, takes: Rna) -> None:
    ops.remodiffuse.generate()
    update_until(takes, lambda: takes.session.job.stage == "sampling")
    pid = takes.session.client.pid
    ops.remodiffuse.restart_backend()
    assert takes.session.job is None
    assert takes.session.client.pid not in (None, pid)
    generate()
    assert len(settings.takes) == 1


def test_stop_ends_the_process(settings: Rna, takes: Rna) -> None:
    generate()
    pid = takes.session.client.pid
    ops.remodiffuse.stop_backend()
    assert_ends(pid)
    assert "not running" in refusal(ops.remodiffuse.stop_backend)
    assert "Nothing is being generated" in refusal(ops.remodiffuse.cancel)


BAD_REQUESTS = {
    "empty prompt": ({"prompt": "  "}, "Describe the motion"),
    "endless prompt": ({"prompt": "walk " * 300}, "in a sentence or two"),
    "no length": ({"seconds": 0.0}, "Choose between 0.8 and 9.8 seconds"),
    "too long": ({"seconds": 60.0}, "Choose between 0.8 and 9.8 seconds"),
}


@pytest.mark.parametrize(("fields", "remedy"), BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_a_bad_request_names_the_remedy(settings: Rna, takes: Rna, fields: dict[str, Any], remedy: str) -> None:
    for name, value in fields.items():
        setattr(settings, name, value)
    before = dump()
    assert remedy in refusal(ops.remodiffuse.generate)
    assert dump() == before
    assert takes.session.job is None


def test_without_an_armature_it_names_the_remedy(preferences: Rna) -> None:
    context.scene.remodiffuse.prompt = PROMPT
    assert "Click on the character's armature" in refusal(ops.remodiffuse.generate)
    ops.mesh.primitive_cube_add()
    assert "No armature is selected" in refusal(ops.remodiffuse.generate)


def test_an_armature_that_is_no_humanoid_is_refused(preferences: Rna) -> None:
    context.scene.remodiffuse.prompt = PROMPT
    ops.object.armature_add()
    before = dump()
    assert "human figure" in refusal(ops.remodiffuse.generate)
    assert dump() == before


def test_without_a_backend_it_says_where_to_choose_one(settings: Rna, preferences: Rna) -> None:
    preferences.python = ""
    assert "Open Preferences > Add-ons > ReMoDiffuse" in refusal(ops.remodiffuse.generate)
    preferences.python = "/nowhere/bin/python"
    assert "There is no Python at /nowhere/bin/python" in refusal(ops.remodiffuse.generate)
    preferences.python = "python"
    assert "not a full path" in refusal(ops.remodiffuse.generate)


@pytest.mark.fault("broken environment")
def test_an_environment_without_pytorch_is_told(settings: Rna, preferences: Rna, takes: Rna) -> None:
    takes.stop()
    before = dump()
    preferences.python = sys.executable
    ops.remodiffuse.generate()
    assert "environment is not complete" in refusal(ops.remodiffuse.wait)
    assert dump() == before


@pytest.mark.fault("broken environment")
@pytest.mark.parametrize("program", ["exit 3", "echo hello", "exec cat"], ids=["ends", "prints", "repeats"])
def test_a_program_that_is_no_backend_is_told(
    settings: Rna,
    preferences: Rna,
    backend_python: str,
    tmp_path: Path,
    program: str,
) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\n{program}\n")
    script.chmod(0o755)
    preferences.python = str(script)
    ops.remodiffuse.generate()
    assert "install the backend, or choose one of your own" in refusal(ops.remodiffuse.wait)
    preferences.python = backend_python
    generate()
    assert len(settings.takes) == 1


@pytest.mark.fault("file opened while a request runs")
def test_opening_a_file_cancels_the_request(settings: Rna, takes: Rna, addon: str) -> None:
    ops.remodiffuse.generate()
    update_until(takes, lambda: takes.session.job.stage == "sampling")
    ops.wm.read_homefile(use_empty=True)
    takes.wait(30)
    fresh: Rna = context.scene.remodiffuse
    assert len(fresh.takes) == 0
    importlib.import_module(f"{addon}.rig.armature").build_skeleton("Hero")
    fresh.prompt = PROMPT
    generate()
    assert len(fresh.takes) == 1


@pytest.mark.fault("scene deleted while a request runs")
def test_takes_for_a_deleted_scene_are_told_of(settings: Rna, takes: Rna) -> None:
    scene = context.scene
    ops.remodiffuse.generate()
    context.window.scene = bpy.data.scenes.new("Other")
    bpy.data.scenes.remove(scene)
    assert "no longer open" in refusal(ops.remodiffuse.wait)


@pytest.mark.fault("armature deleted while a request runs")
def test_the_armature_may_go_while_generating(settings: Rna, takes: Rna, armature: Rna) -> None:
    ops.remodiffuse.generate()
    bpy.data.objects.remove(armature)
    ops.remodiffuse.wait(timeout=60)
    assert len(settings.takes) == 1
    assert "No armature" in refusal(ops.remodiffuse.accept_take)


@pytest.mark.fault("add-on disabled while a request runs")
def test_disabling_the_addon_ends_the_process(settings: Rna, takes: Rna, addon: str) -> None:
    ops.remodiffuse.generate()
    update_until(takes, lambda: takes.session.job.stage == "sampling")
    pid = takes.session.client.pid
    ops.preferences.addon_disable(module=addon)
    try:
        assert_ends(pid)
    finally:
        ops.preferences.addon_enable(module=addon)


def test_the_dice_rolls_another_seed_that_undo_takes_back(settings: Rna) -> None:
    ops.ed.undo_push(message="before")
    seeds = set()
    for _ in range(3):
        ops.remodiffuse.randomize_seed("EXEC_DEFAULT", True)
        seeds.add(settings.seed)
    assert len(seeds) > 1
    for _ in range(3):
        ops.ed.undo()
    assert context.scene.remodiffuse.seed == 3
