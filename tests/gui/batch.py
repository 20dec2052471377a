# SPDX-License-Identifier: GPL-3.0-or-later
"""In Blender without its window, for batch.sh: prepare a stage, count what a killed batch left, check a finished one.

After `--`: `prepare ZIP PYTHON FOLDER`, `count FILE.blend` or `check FILE.blend`.
"""

from __future__ import annotations

import csv
import importlib
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import bpy

sys.path.append(str(Path(__file__).resolve().parents[2]))
from tools import inside_blender

PROMPTS = ["a person walks forward", "a person jumps", "a person waves", "a person sits down", "a person runs in place"]
ROWS = 30
ARMATURES = ("Hero", "Friend")
ops: Any = bpy.ops


def prepare(archive: str, python: str, folder: str) -> None:
    """The extension installed with its preferences saved, a file with two armatures, a row for each clip."""
    inside_blender.install(archive)
    inside_blender.preferences().python = python
    ops.wm.save_userpref()
    build = importlib.import_module(f"{inside_blender.MODULE}.rig.armature").build_skeleton
    for each in list(bpy.data.objects):
        bpy.data.objects.remove(each)
    for number, name in enumerate(ARMATURES):
        build(name).location.x = 2.0 * number
    ops.wm.save_as_mainfile(filepath=str(Path(folder) / "stage.blend"))
    with (Path(folder) / "prompts.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["name", "prompt", "seconds", "seed", "armature", "frame"])
        for number in range(ROWS):
            prompt = PROMPTS[number % len(PROMPTS)]
            table.writerow([f"clip_{number:02}", prompt, 6, number, ARMATURES[number % 2], 1 + 10 * number])


def count(file: str) -> None:
    ops.wm.open_mainfile(filepath=file)
    print("COUNT", len(bpy.data.actions), flush=True)  # noqa: T201  batch.sh reads it


def check(file: str) -> None:
    """Every row has one action, of its own length and place; the report says so too."""
    ops.wm.open_mainfile(filepath=file)
    actions: Any = bpy.data.actions
    assert sorted(action.name for action in actions) == [f"clip_{number:02}" for number in range(ROWS)], list(actions)
    for number, action in enumerate(sorted(actions, key=lambda each: each.name)):
        start, end = action.frame_range
        assert start == 1 + 10 * number
        assert 6 * 24 - 3 <= end - start <= 6 * 24 + 3, (action.name, start, end)
        assert action.use_fake_user
        (layer,) = action.layers
        curves = layer.strips[0].channelbags[0].fcurves
        assert max(len(curve.keyframe_points) for curve in curves) > 10
    objects: Any = bpy.data.objects
    for name, last in zip(ARMATURES, (ROWS - 2, ROWS - 1), strict=True):
        assert objects[name].animation_data.action.name == f"clip_{last:02}"
    with Path(file).with_suffix(".report.csv").open(newline="", encoding="utf-8") as stream:
        report = list(csv.DictReader(stream))
    assert Counter(row["status"] for row in report) == {"done": ROWS}, report
    assert [row["actions"] for row in report] == [f"clip_{number:02}" for number in range(ROWS)]
    sys.stdout.write(f"Blender {bpy.app.version_string}: {ROWS} rows, {ROWS} actions, the report agrees.\n")


words = sys.argv[sys.argv.index("--") + 1 :]
{"prepare": prepare, "count": count, "check": check}[words[0]](*words[1:])
