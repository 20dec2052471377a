# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py bench: the sampler in the backend's environment, then the sidebar in Blender."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import backend, extension
from .console import ROOT, call_quietly, say
from .environments import BACKEND, BLENDERS, ensure

if TYPE_CHECKING:
    import argparse

SIDEBAR: Final = "--sidebar"
RIG: Final = "--rig"
TAKE: Final = ("a person walks forward and waves", "--seconds", "9.8")
LONGEST_HOLD_MS: Final = 20.0
"""What Blender may be held up for at most, see docs/design.md; beyond it the bench of the sidebar fails."""
BLENDER: Final = BLENDERS["4.5"]


def run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    """`--sidebar` and `--rig` measure Blender alone, every other option the backend alone; without any, backend and
    sidebar.
    """
    if RIG in words:
        if others := [word for word in words if word not in (RIG, "--json")]:
            parser.error(f"{RIG} goes with --json alone, not with {' '.join(others)}")
        row = _rig()
        say(
            json.dumps([row], indent=2)
            if "--json" in words
            else "\n".join(f"{row[each]:12.1f}  {each}" for each in row)
        )
        return 0
    others = [word for word in words if word not in (SIDEBAR, "--json")]
    if SIDEBAR not in words:
        code = backend.run(parser, words)
        if code or others or words:
            if {"-h", "--help"} & set(others):
                say(f"  {SIDEBAR}             in Blender: how long it is held up, and from Accept to keys")
                say(f"  {RIG}                 in Blender: solving and keying a control rig, against keyframe_insert")
            return code
    elif others:
        parser.error(f"{SIDEBAR} goes with --json alone, not with {' '.join(others)}")
    report = _measured()
    say(json.dumps(report, indent=2) if "--json" in words else "\n".join(_lines(report)))
    return 0 if report["longest_hold_ms"] < LONGEST_HOLD_MS else 1


def _rig() -> dict[str, float]:
    """A take of the longest clip on Rigify's control rig, see `bench_rig`."""
    with tempfile.TemporaryDirectory(prefix="remodiffuse-bench-") as folder:
        take, result = Path(folder) / "take.npz", Path(folder) / "result.json"
        log = ROOT / "build" / "bench.log"
        log.unlink(missing_ok=True)
        generate = [ensure(BACKEND), "-m", "backend", "generate", *TAKE, "--output", take]
        for command in (generate, [ensure(BLENDER), "-m", "tools.bench_rig", take, result]):
            call_quietly(command, log, "Bench of the rig", "Mend that and repeat the command.")
        return json.loads(result.read_text(encoding="utf-8"))


def _measured() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="remodiffuse-bench-", ignore_cleanup_errors=True) as home:
        os.environ["BLENDER_USER_RESOURCES"] = str(Path(home) / "blender")
        result = Path(home) / "report.json"
        log = ROOT / "build" / "bench.log"
        log.unlink(missing_ok=True)
        archive = extension.build()
        command = [ensure(BLENDER), "-m", "tools.bench_sidebar", archive, ensure(BACKEND), result]
        call_quietly(command, log, "Bench of the sidebar", "Mend that and repeat the command.")
        return json.loads(result.read_text(encoding="utf-8"))


def _lines(report: dict[str, Any]) -> list[str]:
    lines = [f"Main thread of Blender {report['blender']} while generating, calls of the add-on:"]
    lines += [f"{name:>16} {count:6}" for name, count in report["holds"].items()]
    longest, evaluation = report["longest_hold_ms"], report["longest_evaluation_ms"]
    lines += [f"longest {longest:.1f} ms; Blender's own longest evaluation of the scene {evaluation:.1f} ms"]
    lines += ["Accept, until the keys are there:"]
    for row in report["accept"]:
        size = f"{row['rig']}, {row['bones']} bones, {row['frames']} frames, {row['keys']} keys"
        lines += [f"{row['milliseconds']:13.0f} ms  {size}"]
    return lines
