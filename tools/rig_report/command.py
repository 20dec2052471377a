# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py rig-report: bone maps of rig files and, with a motion, how well each rig follows it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..console import ROOT, BuildError, call_quietly, relative, say
from ..environments import BLENDERS, ensure

if TYPE_CHECKING:
    import argparse

_UNITS = {
    "direction_mean_degrees": "limbs off by, mean (degrees)",
    "direction_max_degrees": "limbs off by, at most (degrees)",
    "joints_mean_percent": "joints off by, mean (% of leg)",
    "step_max_degrees": "fastest turn in a frame (degrees)",
    "source_step_max_degrees": "the same in the motion (degrees)",
    "foot_slide_mean_cm_s": "standing feet slide, mean (cm/s)",
    "foot_height_max_cm": "standing toes off the floor by, at most (cm)",
    "knees_backwards_frames": "frames with a knee bent backwards",
    "solve_ms": "solving and keying (ms)",
}


def run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    """One report a file; the exit code is 1 if one of them is no humanoid."""
    parser.add_argument("files", nargs="+", type=Path, help=".blend, .glb, .gltf, .fbx, .bvh or .json rig files")
    parser.add_argument("--motion", type=Path, help="a take.npz; each rig is moved with it and measured")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--blender", choices=sorted(BLENDERS), default="4.5", help="which Blender (default: 4.5)")
    arguments = parser.parse_args(words)
    for file in [*arguments.files, *([arguments.motion] if arguments.motion else [])]:
        if not file.is_file():
            raise BuildError(f"There is no file {file}.", "Check its name.")
    with tempfile.TemporaryDirectory(prefix="remodiffuse-rigs-") as folder:
        result = Path(folder) / "report.json"
        log = ROOT / "build" / "rig-report.log"
        log.unlink(missing_ok=True)
        motion = [str(arguments.motion.resolve())] if arguments.motion else [""]
        files = [str(file.resolve()) for file in arguments.files]
        command = [ensure(BLENDERS[arguments.blender]), "-m", "tools.rig_report.measure", result, *motion, *files]
        call_quietly(command, log, "Rig report", "Mend that and repeat the command.")
        reports: list[dict[str, Any]] = json.loads(result.read_text(encoding="utf-8"))
    for report, file in zip(reports, arguments.files, strict=True):
        report["file"] = relative(file)
    say(json.dumps(reports, indent=2, ensure_ascii=False) if arguments.json else "\n\n".join(map(_words, reports)))
    return int(any("problem" in report for report in reports))


def _words(report: dict[str, Any]) -> str:
    lines = [f"{report['file']}: {report['family']}, confidence {report['confidence']:.0%}"]
    lines += [f"  {report['problem']}"] if "problem" in report else []
    lines += [f"  {joint:<15} {bone}" for joint, bone in report["map"].items()]
    lines += [f"  {each['joint']:<15} (none) {each['remedy']}" for each in report["missing"]]
    lines += [f"  {_UNITS[name]:<45} {value:g}" for name, value in report["errors"].items()]
    return "\n".join(lines)
