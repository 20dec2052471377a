# SPDX-License-Identifier: GPL-3.0-or-later
"""What the animator does while the backend works: undo, rename, and upgrade the add-on itself."""

from __future__ import annotations

import importlib
import os
import time

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
