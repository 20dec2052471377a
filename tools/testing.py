# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py test: the backend and the motion maths in .venv, then the built zip in real Blenders."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from typing import TYPE_CHECKING, Final

from . import extension, faults
from .console import ROOT, say
from .parts import BACKEND_PART, PARTS, run_part

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

REPORTS: Final = ROOT / "build" / "reports"
TIME_LIMIT_SECONDS: Final = 20 * 60.0
NO_TESTS_COLLECTED: Final = 5


def run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    parser.add_argument("--only", choices=PARTS, help="one part alone; everything otherwise")
    parser.add_argument("-k", metavar="EXPRESSION", help="only tests whose name matches, as in pytest")
    parser.add_argument(
        "--faults",
        action="store_true",
        help="the rows of docs/reliability.md in full, one after the other; repeated, it goes on",
    )
    parser.add_argument("--row", metavar="TEXT", default="", help="with --faults: only rows with this in their name")
    parser.add_argument("--anew", action="store_true", help="with --faults: also the rows that are done")
    arguments = parser.parse_args(words)
    parts = [arguments.only] if arguments.only else list(PARTS)
    archive = None if parts == [BACKEND_PART] else extension.build()
    if arguments.faults:
        return faults.run(parts, archive, arguments.row, anew=arguments.anew)
    totals: Counter[str] = Counter()
    failed_parts = []
    for part in parts:
        say("\nBackend and motion maths" if part == BACKEND_PART else f"\nThe built zip in Blender {part}")
        report = REPORTS / f"{part}.xml"
        pick = ["-k", arguments.k] if arguments.k else []
        code = run_part(part, archive, report, pick, timeout=TIME_LIMIT_SECONDS)
        counts = _counts(report)
        totals += counts
        if code not in (0, NO_TESTS_COLLECTED) or not report.exists():
            failed_parts.append(part)
            # A run that died without a report must not read as green.
            totals["failed"] += 0 if counts["failed"] else 1
    if failed_parts:
        say(f"\nFailed in: {', '.join(failed_parts)}")
    say(f"\n{totals['passed']} passed, {totals['failed']} failed, {totals['skipped']} skipped")
    return 1 if failed_parts or not totals["passed"] else 0


def _counts(report: Path) -> Counter[str]:
    """Passed, failed and skipped tests of a JUnit report; nothing where there is no report."""
    counts: Counter[str] = Counter()
    if report.exists():
        for suite in ElementTree.parse(report).iter("testsuite"):  # noqa: S314  our own pytest wrote it
            failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped = int(suite.get("skipped", 0))
            counts.update(failed=failed, skipped=skipped, passed=int(suite.get("tests", 0)) - failed - skipped)
    return counts
