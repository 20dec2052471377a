# SPDX-License-Identifier: GPL-3.0-or-later
"""However Blender ends, no backend is left behind."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from scenes import assert_ends

SCRIPT = textwrap.dedent("""
    import importlib, sys, time
    import bpy

    module, python, way = sys.argv[1:]
    bpy.ops.preferences.addon_enable(module=module)
    takes = importlib.import_module(f"{module}.takes")
    bpy.context.preferences.addons[module].preferences.python = python
    importlib.import_module(f"{module}.rig.armature").build_skeleton()
    settings = bpy.context.scene.remodiffuse
    settings.prompt, settings.seconds, settings.count = "a person walks forward", 9.8, 16
    bpy.ops.remodiffuse.generate()
    while way != "starting" and takes.session.job.stage != "sampling":
        takes.update()
    print("PID", takes.session.client.pid, flush=True)
    if way != "quit":
        time.sleep(600)
""")


@pytest.mark.fault("Blender ends or is killed")
@pytest.mark.parametrize("way", ["starting", "sampling", "quit"])
def test_the_backend_ends_with_blender(addon: str, backend_python: str, way: str) -> None:
    words = [sys.executable, "-c", SCRIPT, addon, backend_python, way]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as blender:
        try:
            assert blender.stdout
            pid = next(int(line.split()[1]) for line in blender.stdout if line.startswith("PID"))
            if way == "quit":
                blender.wait(60)
            else:
                blender.kill()
        finally:
            blender.kill()
    assert_ends(pid)
