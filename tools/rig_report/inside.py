# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside Blender: `inside RESULT.json REQUEST.json` writes the add-on's report on each of the request's files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

from remodiffuse_blender import rig_report
from remodiffuse_blender.rig import errors
from remodiffuse_blender.rig.armature import read_rest_pose
from remodiffuse_blender.rig.detect import propose
from remodiffuse_blender.rig.options import Limbs, Options
from remodiffuse_blender.shared import Motion

from ..inside_blender import run
from ..rig_files import load

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Reports on all files, in their order, and what the numbers in them are called."""
    result, request = map(Path, sys.argv[1:])
    wanted = json.loads(request.read_text(encoding="utf-8"))
    motion = read_motion(Path(wanted["motion"])) if wanted["motion"] else None
    options = Options(limbs=Limbs(wanted["limbs"]))
    reports = [_told(lambda file=file: _report(Path(file), motion, options)) for file in wanted["files"]]
    result.write_text(json.dumps({"titles": errors.TITLES, "reports": reports}, ensure_ascii=False), encoding="utf-8")


def _report(file: Path, motion: Motion | None, options: Options) -> dict[str, Any]:
    rig = load(file)
    found = propose(read_rest_pose(rig))
    return rig_report.make(bpy.context, rig, found, motion, options=options).to_json()


def _told(report: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The report; where the file cannot be read, one that says so."""
    try:
        return report()
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        problem = f"The file cannot be read: {reason} Open it in Blender and save it anew."
        return {"family": "unknown", "confidence": 0.0, "map": {}, "missing": [], "errors": {}, "problem": problem}


def read_motion(file: Path) -> Motion:
    """The (first) take of a .npz file."""
    with np.load(file, allow_pickle=False) as data:
        positions, turns, root, contacts = (data[name] for name in ("positions", "rotations", "root", "contacts"))
        first = 0 if positions.ndim == 4 else slice(None)
        return Motion(float(data["fps"]), positions[first], turns[first], root[first], contacts[first])


if __name__ == "__main__":
    run(main)
