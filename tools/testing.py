# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py test: the backend and the motion maths in .venv, then the built zip in real Blenders."""

from __future__ import annotations

import os
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from . import extension, faults
from .console import ROOT, call, say
from .environments import BACKEND, BLENDERS, ensure

if TYPE_CHECKING:
    import argparse

REPORTS: Final = ROOT / "build" / "reports"
TIME_LIMIT_SECONDS: Final = 20 * 60.0
FAULTS_LIMIT_SECONDS: Final = 3 * 60 * 60.0
NO_TESTS_COLLECTED: Final = 5


def run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    parser.add_argument("--only", choices=("backend", *BLENDERS), help="one part alone; everything otherwise")
    parser.add_argument("-k", metavar="EXPRESSION", help="only tests whose name matches, as in pytest")
    parser.add_argument("--faults", action="store_true", help="the rows of docs/reliability.md alone, in full")
    arguments = parser.parse_args(words)
    pick = ["-k", arguments.k] if arguments.k else []
    if arguments.faults:
        pick += ["-m", "fault"]
        os.environ["REMODIFFUSE_FAULTS"] = "full"
    time_limit = FAULTS_LIMIT_SECONDS if arguments.faults else TIME_LIMIT_SECONDS
    parts = [arguments.only] if arguments.only else ["backend", *BLENDERS]
    backend_python = ensure(BACKEND)
    totals: Counter[str] = Counter()
    failed_parts = []
    archive = None if parts == ["backend"] else extension.build()
    for part in parts:
        report = REPORTS / f"{part}.xml"
        report.unlink(missing_ok=True)
        if part == "backend" or archive is None:
            say("\nBackend and motion maths")
            ignored = [f"--ignore=tests/{folder}" for folder in ("blender", "gui")]
            code = call(
                [backend_python, "-m", "pytest", "tests", *ignored, f"--junitxml={report}", *pick],
                timeout=time_limit,
            )
        else:
            say(f"\nThe built zip in Blender {part}")
            code = _test_in_blender(part, archive, backend_python, report, pick, time_limit)
        counts = _counts(report)
        totals += counts
        if code not in (0, NO_TESTS_COLLECTED) or not report.exists():
            failed_parts.append(part)
            # A run that died without a report must not read as green.
            totals["failed"] += 0 if counts["failed"] else 1
    if arguments.faults and not faults.show([REPORTS / f"{part}.xml" for part in parts], complete=len(parts) > 1):
        failed_parts.append("the table of faults")
    if failed_parts:
        say(f"\nFailed in: {', '.join(failed_parts)}")
    say(f"\n{totals['passed']} passed, {totals['failed']} failed, {totals['skipped']} skipped")
    return 1 if failed_parts or not totals["passed"] else 0


def _test_in_blender(
    version: str, archive: Path, backend_python: Path, report: Path, pick: list[str], time_limit: float
) -> int:
    """tests/blender inside one Blender with a fresh user folder; the exit code."""
    python = ensure(BLENDERS[version])
    with tempfile.TemporaryDirectory(prefix="remodiffuse-home-", ignore_cleanup_errors=True) as home:
        env = os.environ | {
            "HOME": home,
            "BLENDER_USER_RESOURCES": str(Path(home) / "blender"),
            "REMODIFFUSE_ZIP": str(archive),
            "REMODIFFUSE_PYTHON": str(backend_python),
        }
        return call([python, "tests/blender/run.py", f"--junitxml={report}", *pick], env=env, timeout=time_limit)


def _counts(report: Path) -> Counter[str]:
    """Passed, failed and skipped tests of a JUnit report; nothing where there is no report."""
    counts: Counter[str] = Counter()
    if report.exists():
        for suite in ElementTree.parse(report).iter("testsuite"):  # noqa: S314  our own pytest wrote it
            failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped = int(suite.get("skipped", 0))
            counts.update(failed=failed, skipped=skipped, passed=int(suite.get("tests", 0)) - failed - skipped)
    return counts
