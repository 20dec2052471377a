# SPDX-License-Identifier: GPL-3.0-or-later
"""In a Blender of its own: adds clips to the animator's own library, one after the other, and says so.

Started as `python adding.py MODULE PYTHON NAME COUNT`.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import bpy

FRAMES = 40


def main(module: str, python: str, name: str, count: int) -> None:
    ops: Any = bpy.ops
    context: Any = bpy.context
    ops.preferences.addon_enable(module=module)
    context.preferences.addons[module].preferences.python = python
    armature = importlib.import_module(f"{module}.rig.armature").build_skeleton(name)
    arm = armature.pose.bones["left_shoulder"]
    arm.rotation_mode = "XYZ"
    # Another motion every time and for each: the same one would only gain a caption.
    side = 1 if name < "N" else -1
    for number in range(count):
        for frame in range(1, FRAMES + 1, 13):
            arm.rotation_euler.x = side * (0.01 * number + 0.02 * frame)
            arm.keyframe_insert("rotation_euler", frame=frame)
        context.window_manager.remodiffuse_library.caption = f"{name} waves, {number}"
        ops.remodiffuse.add_clip()
        ops.remodiffuse.wait(timeout=120)
        sys.stdout.write(f"ADDED {name} waves, {number}\n")
        sys.stdout.flush()
    importlib.import_module(f"{module}.takes").stop(5.0)


main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
