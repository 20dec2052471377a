# SPDX-License-Identifier: GPL-3.0-or-later
"""Install from the preferences: refused offline with a remedy; with wheels, cancelled, repeated, used, removed."""

from __future__ import annotations

import importlib
import os
import signal
import time
from typing import TYPE_CHECKING

import bpy
import pytest
from scenes import Rna, context, generate, ops, refusal, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

WHEELS = os.environ.get("REMODIFFUSE_WHEELS", "")


@pytest.fixture
def chosen(addon: str, settings: Rna) -> Iterator[Rna]:
    """The preferences without a backend of one's own."""
    preferences: Rna = context.preferences.addons[addon].preferences
    preferences.python = ""
    online = context.preferences.system.use_online_access
    yield preferences
    preferences.wheels = ""
    context.preferences.system.use_online_access = online


def test_offline_it_says_what_to_allow(chosen: Rna) -> None:
    context.preferences.system.use_online_access = False
    if bpy.app.online_access:
        pytest.skip("this Blender was told on its command line to be online")
    assert "Allow Online Access" in refusal(ops.remodiffuse.install_backend)
    assert "Allow Online Access" in refusal(ops.remodiffuse.fetch_model)


def test_nothing_is_installed_at_first(chosen: Rna) -> None:
    assert "install the backend" in refusal(ops.remodiffuse.generate)
    assert "No backend is installed" in refusal(ops.remodiffuse.uninstall_backend)
    assert "No backend is installed" in refusal(ops.remodiffuse.repair_backend)
    assert "Nothing is being installed" in refusal(ops.remodiffuse.cancel_installation)


@pytest.mark.fault("install interrupted")
@pytest.mark.skipif(not WHEELS, reason="name a folder with the wheels of the real list in REMODIFFUSE_WHEELS")
def test_install_cancel_install_generate_kill_try_again_uninstall(chosen: Rna, addon: str, takes: Rna) -> None:
    installation: Rna = importlib.import_module(f"{addon}.installation")
    context.preferences.system.use_online_access = True
    chosen.wheels = WHEELS
    ops.remodiffuse.install_backend()
    time.sleep(1.0)
    ops.remodiffuse.cancel_installation()
    assert not installation.installation.ready
    before = whole()
    ops.remodiffuse.install_backend(wait=300.0)
    assert installation.installation.ready.build == "cpu"
    assert whole() == before
    generate()
    os.kill(takes.session.client.pid, signal.SIGKILL)
    ops.remodiffuse.generate()
    assert "ended unexpectedly" in refusal(ops.remodiffuse.wait)
    ops.remodiffuse.repeat_request()
    ops.remodiffuse.wait(timeout=120)
    before = whole()
    ops.remodiffuse.uninstall_backend()
    installation.wait(60)
    assert whole() == before
    assert not installation.place().folder.exists()
