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


def run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    """One report a file; the exit code is 1 if one of them is no humanoid or cannot be read."""
    parser.add_argument("files", nargs="+", type=Path, help=".blend, .glb, .gltf, .fbx, .bvh or .json rig files")
    parser.add_argument("--motion", type=Path, help="a take.npz; each rig is moved with it and measured")
    parser.add_argument("--limbs", choices=("FK", "IK"), default="FK", help="controls of control rigs (default: FK)")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--blender", choices=sorted(BLENDERS), default="4.5", help="which Blender (default: 4.5)")
    arguments = parser.parse_args(words)
    for file in [*arguments.files, *([arguments.motion] if arguments.motion else [])]:
        if not file.is_file():
            raise BuildError(f"There is no file {file}.", "Check its name.")
    with tempfile.TemporaryDirectory(prefix="remodiffuse-rigs-") as folder:
        result, request = Path(folder) / "report.json", Path(folder) / "request.json"
        log = ROOT / "build" / "rig-report.log"
        log.unlink(missing_ok=True)
        wanted = {
            "files": [str(file.resolve()) for file in arguments.files],
            "motion": str(arguments.motion.resolve()) if arguments.motion else "",
            "limbs": arguments.limbs,
        }
        request.write_text(json.dumps(wanted), encoding="utf-8")
        command = [ensure(BLENDERS[arguments.blender]), "-m", "tools.rig_report.inside", result, request]
        call_quietly(command, log, "Rig report", "Mend that and repeat the command.")
        made: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    reports = [{"file": relative(file), **each} for file, each in zip(arguments.files, made["reports"], strict=True)]
    if arguments.json:
        say(json.dumps(reports, indent=2, ensure_ascii=False))
    else:
        say("\n\n".join(_words(report, made["titles"]) for report in reports))
    return int(any("problem" in report for report in reports))


def _words(report: dict[str, Any], titles: dict[str, str]) -> str:
    lines = [f"{report['file']}: {report['family']}, confidence {report['confidence']:.0%}"]
    lines += [f"  {report['problem']}"] if "problem" in report else []
    lines += [f"  {joint:<15} {bone}" for joint, bone in report["map"].items()]
    lines += [f"  {each['joint']:<15} (none) {each['remedy']}" for each in report["missing"]]
    lines += [f"  {remark}" for remark in report.get("remarks", [])]
    lines += [f"  {titles[name]:<34} {value:g}" for name, value in report["errors"].items()]
    return "\n".join(lines)
