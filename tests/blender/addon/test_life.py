# SPDX-License-Identifier: GPL-3.0-or-later
"""However Blender ends and whatever was at work, nothing of ours is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from scenes import assert_ends

if TYPE_CHECKING:
    from collections.abc import Iterator

GENERATING = textwrap.dedent("""
    import importlib, os, signal, sys, time
    import bpy

    module, python, way = sys.argv[1:]
    bpy.ops.preferences.addon_enable(module=module)
    takes = importlib.import_module(f"{module}.takes")
    preferences = bpy.context.preferences.addons[module].preferences
    preferences.python = python
    if way == "hanging behind a command":
        inner = f"sh -c '{python} -m backend serve --device cpu; true'; true"
        preferences.command = f'sh -c "{inner}"'
    importlib.import_module(f"{module}.rig.armature").build_skeleton()
    settings = bpy.context.scene.remodiffuse
    settings.prompt, settings.seconds, settings.count = "a person walks forward", 9.8, 16
    if way == "sending":
        settings.count = 2
    bpy.ops.remodiffuse.generate()
    job = takes.session.job
    moments = {
        "starting": lambda: True,
        "retrieval": lambda: job.stage in ("retrieval", "conditions"),
        "sending": lambda: job.takes or job.stage == "motion" and job.step == job.total,
    }
    while not moments.get(way, lambda: job.stage == "sampling")():
        takes.update()
    if way.startswith("hanging"):
        os.kill(takes.session.client.server_pid, signal.SIGSTOP)
    print("PID", takes.session.client.server_pid or takes.session.client.pid, flush=True)
    if way != "quit":
        time.sleep(600)
""")
INSTALLING = textwrap.dedent("""
    import importlib, sys, time
    import bpy

    module = sys.argv[1]
    bpy.ops.preferences.addon_enable(module=module)
    bpy.context.preferences.system.use_online_access = True
    bpy.ops.remodiffuse.install_backend()
    print("PID", importlib.import_module(f"{module}.installation").installation.errand.pid, flush=True)
    time.sleep(600)
""")


WAYS = ["starting", "retrieval", "sampling", "sending", "hanging", "hanging behind a command", "quit"]


@pytest.mark.fault("Blender ends or is killed")
@pytest.mark.parametrize("way", WAYS)
def test_the_backend_ends_with_blender(addon: str, backend_python: str, way: str) -> None:
    words = [sys.executable, "-c", GENERATING, addon, backend_python, way]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as blender:
        try:
            pid = _told(blender)
            if way == "quit":
                blender.wait(60)
            else:
                blender.kill()
        finally:
            blender.kill()
    try:
        assert_ends(pid)
    finally:
        _end(pid)


@pytest.fixture
def silent_index() -> Iterator[str]:
    """The address of an index of packages that takes calls and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple"


@pytest.mark.fault("Blender ends or is killed")
def test_an_installation_ends_with_blender(addon: str, silent_index: str, tmp_path: Path) -> None:
    """It hangs at a network that does not answer, with a program of its own at work."""
    # No wheel of uv may be found elsewhere, or it would not ask the index at all.
    env = os.environ | {"PIP_INDEX_URL": silent_index, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "0"}
    with subprocess.Popen([sys.executable, "-c", INSTALLING, addon], stdout=subprocess.PIPE, env=env, text=True) as it:
        try:
            installer = _told(it)
            deadline = time.monotonic() + 120
            while not (programs := _with_words(installer, "download")):
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            it.kill()
    for pid in (installer, *programs):
        assert_ends(pid)


def _told(blender: subprocess.Popen[str]) -> int:
    assert blender.stdout
    return next(int(line.split()[1]) for line in blender.stdout if line.startswith("PID"))


def _with_words(group: int, word: str) -> list[int]:
    """The processes of a group that were started with a word."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if os.getpgid(int(folder.name)) == group and word.encode() in words:
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def _end(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
