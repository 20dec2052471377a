# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside Blender: how long generating holds the main thread up, and how long it takes from Accept to keys.

python -m tools.bench_sidebar EXTENSION.zip BACKEND_PYTHON REPORT.json
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import bpy

from . import inside_blender
from .demo import rigs
from .holds import Holds
from .inside_blender import MODULE

PROMPT: Final = "a person walks forward"
SECONDS: Final = 9.8
FPS: Final = 20
TAKES: Final = 4
TICK_SECONDS: Final = 0.05
RUNS: Final = 3
RIGS: Final = ("skeleton", "rigify")

operators: Any = bpy.ops


def main() -> None:
    archive, python, result = sys.argv[1:]
    inside_blender.install(archive)
    inside_blender.preferences().python = python
    holds, accepted = Holds(MODULE), []
    holds.watch_evaluations(importlib.import_module(f"{MODULE}.takes").session)
    for rig in RIGS:
        armature = _stage(rig)
        _generate(holds)
        accepted.append(_accept(rig, armature))
    report = {
        "blender": bpy.app.version_string,
        "holds": dict(holds.rows()),
        "longest_hold_ms": round(1e3 * holds.longest, 2),
        "longest_evaluation_ms": round(1e3 * max(holds.evaluations), 1),
        "accept": accepted,
    }
    Path(result).write_text(json.dumps(report), encoding="utf-8")


def _stage(rig: str) -> Any:  # noqa: ANN401  an armature object
    """An empty scene with the rig, and the longest request for it."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    armature = rigs.build(rig)
    scene: Any = bpy.context.scene
    scene.render.fps = FPS
    settings = scene.remodiffuse
    settings.prompt, settings.seconds, settings.count = PROMPT, SECONDS, TAKES
    return armature


def _generate(holds: Holds) -> None:
    """As with a window: the timer's function again and again, and in between Blender brings the scene up to date. A
    first request warms the backend up; the takes of the second one play while those of the third one come.
    """
    takes: Any = importlib.import_module(f"{MODULE}.takes")
    for measured in (False, True, True):
        operators.remodiffuse.generate()
        while takes.session.job:
            if measured:
                holds.timed(takes.session, takes.update)
            else:
                takes.update()
            bpy.context.view_layer.update()
            time.sleep(TICK_SECONDS)
        if takes.session.error:
            raise takes.session.error
        if not measured:
            operators.remodiffuse.reject_takes()


def _accept(rig: str, armature: Any) -> dict[str, Any]:  # noqa: ANN401  an armature object
    """The best of several takes that played and are accepted."""
    times, settings = [], armature.users_scene[0].remodiffuse
    for index in range(RUNS):
        settings.active_take = index
        begin = time.perf_counter()
        operators.remodiffuse.accept_take()
        times.append(time.perf_counter() - begin)
    action = armature.animation_data.action
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    curves = [curve for bag in bags for curve in bag.fcurves]
    return {
        "rig": rig,
        "bones": len(armature.data.bones),
        "keys": sum(len(curve.keyframe_points) for curve in curves),
        "frames": round(action.frame_end - action.frame_start) + 1,
        "milliseconds": round(1e3 * min(times), 1),
    }


if __name__ == "__main__":
    inside_blender.run(main)
