# SPDX-License-Identifier: GPL-3.0-or-later
# Blender's stubs know nodes, sockets and object data by their base classes only.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""Inside Blender: install the extension, build a rig, and let the add-on's own operators animate it.

    python -m tools.demo.animate REQUEST.json REPORT.json

Leaves motion.blend, motion.bvh and take.npz in the request's output folder.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .. import inside_blender
from ..inside_blender import MODULE
from . import mannequin, rigs, stage

# The model's own frame rate: every key is a generated frame.
FPS = 20


class Clock:
    """Seconds by name of the step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = now - self._last
        self._last = now


def main() -> None:
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        report = animate(request)
    except (RuntimeError, ValueError) as refused:
        (Path(request["output"]) / "error.json").write_text(json.dumps(_refusal(refused)), encoding="utf-8")
        raise
    Path(sys.argv[2]).write_text(json.dumps(report), encoding="utf-8")


def animate(request: dict[str, Any]) -> dict[str, Any]:
    """The report: references, frame rate, seconds by step."""
    clock, output = Clock(), Path(request["output"])
    inside_blender.install(request["archive"])
    inside_blender.preferences().python = request["python"]
    clock.lap("install the extension")
    rig = rigs.build(request["rig"])
    clock.lap("build the rig")

    scene: Any = bpy.context.scene
    scene.render.fps, scene.render.fps_base = FPS, 1.0
    scene.frame_start = scene.frame_current = 1
    settings = scene.remodiffuse
    settings.prompt, settings.seconds, settings.seed, settings.count = (
        request["prompt"],
        request["seconds"],
        request["seed"],
        1,
    )
    operators: Any = bpy.ops.remodiffuse
    operators.generate()
    operators.wait()
    clock.lap("generate (with the backend's start)")
    operators.accept_take()
    clock.lap("accept: solve and write keys")

    take = _take(settings.takes[0])
    scene.frame_end = int(rig.animation_data.action.frame_range[1])
    formats = importlib.import_module(f"{MODULE}.backend.motion.formats")
    for name in ("take.npz", "motion.bvh"):
        formats.write_takes(output / name, [take.motion], [take.provenance.to_json()])
    clock.lap("write take and BVH")

    _dress(scene, rig)
    scene.frame_set(scene.frame_start)
    bpy.ops.file.pack_all()
    bpy.ops.wm.save_as_mainfile(filepath=str(output / "motion.blend"), compress=True)
    clock.lap("mannequin, stage, save")
    return {
        "references": take.provenance.to_json()["references"],
        "fps": FPS,
        "seconds": clock.seconds,
        "backend_seconds": dict(importlib.import_module(f"{MODULE}.takes").session.seconds),
    }


def _take(item: Any) -> Any:  # noqa: ANN401  types that only the installed add-on knows
    """The take behind an entry of the sidebar's list."""
    protocol = importlib.import_module(f"{MODULE}.shared").protocol
    return protocol.parse_take(protocol.read(io.BytesIO(base64.b64decode(item.frame))))


def _dress(scene: bpy.types.Scene, rig: bpy.types.Object) -> None:
    """A body for a bare rig, and a stage around it."""
    bones = importlib.import_module(f"{MODULE}.target").bone_map(rig).bones
    figure = mannequin.rest_figure(rig, bones)
    bodies = [each for each in scene.objects if each.type == "MESH" and each.find_armature() == rig]
    if not bodies:
        bodies = [mannequin.build(rig, bones)]
    hips = [bones["left_hip"], bones["right_hip"]]
    world = rig.matrix_world
    path = []
    for frame in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(frame)
        path.append(np.mean([world @ rig.pose.bones[name].head for name in hips], axis=0))
    # The rig's controls lie about the character like wire; the action stays reachable in the outliner.
    rig.hide_set(len(rig.data.bones) > 100)
    stage.build(scene, bodies, np.array(path), figure.forward, figure.height)


def _refusal(error: RuntimeError | ValueError) -> dict[str, str]:
    """Message and remedy from what an operator said: "Error: message remedy" or "Operator ... message remedy"."""
    text = re.sub(r"^(Error: |Operator \S+ )", "", str(error).strip()).replace("\n", " ")
    message, stop, remedy = text.partition(". ")
    return {"message": message + stop.strip(), "remedy": remedy}


if __name__ == "__main__":
    inside_blender.run(main)
