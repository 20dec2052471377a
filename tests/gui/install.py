# SPDX-License-Identifier: GPL-3.0-or-later
"""In Blender, without its window: the zip installs, goes and comes back, and leaves nothing behind when it is gone."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

sys.path.append(str(Path(__file__).resolve().parents[2]))
from tools import inside_blender


def ours() -> set[str]:
    operators = {f"operator {name}" for name in dir(getattr(bpy.ops, "remodiffuse"))}  # noqa: B009  unknown to the stubs
    return operators | {f"type {name}" for name in dir(bpy.types) if name.startswith("REMODIFFUSE_")}


inside_blender.install(sys.argv[sys.argv.index("--") + 1])
before = ours()
assert before
bpy.ops.preferences.addon_disable(module=inside_blender.MODULE)
assert not ours()
bpy.ops.preferences.addon_enable(module=inside_blender.MODULE)
assert ours() == before
bpy.ops.preferences.addon_disable(module=inside_blender.MODULE)
sys.stdout.write(f"Blender {bpy.app.version_string}: installed, disabled, enabled again ({len(before)} names).\n")
