# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of faults: every row of docs/reliability.md with what its tests said."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .console import ROOT, say

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TABLE: Final = ROOT / "docs" / "reliability.md"


@dataclass
class Row:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    parts: Counter[str] = field(default_factory=Counter)
    """Tests that passed, by the part that they belong to: backend, 4.5, 5.0."""
    figures: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        if self.failed:
            return "FAILED"
        return "survived" if self.passed else "not tested here"


def show(reports: Iterable[Path], *, complete: bool) -> bool:
    """Prints the table; whether every row survived and, if `complete`, none was left out."""
    found = _rows(reports)
    wanted = _documented()
    width = max(map(len, [*wanted, *found]), default=0)
    say("\nFaults")
    for name in [*wanted, *sorted(found.keys() - set(wanted))]:
        row = found.get(name, Row())
        figures = "; ".join(dict.fromkeys(row.figures))
        tests = ", ".join(f"{part} {count}" for part, count in row.parts.items())
        say(f"  {name:{width}}  {row.verdict:15}  {tests:25}  {row.seconds:6.1f} s  {figures}")
    missing = [name for name in wanted if name not in found] if complete else []
    for name in missing:
        say(f"  No test for the row: {name}")
    surplus = sorted(found.keys() - set(wanted))
    for name in surplus:
        say(f"  Not in {TABLE.name}: {name}")
    return not missing and not surplus and not any(row.failed for row in found.values())


def _documented() -> list[str]:
    """The first cells of the rows under the heading "Faults"."""
    text = TABLE.read_text("utf-8").split("## Faults", 1)[-1].split("\n## ", 1)[0]
    return [
        match[1].strip()
        for match in re.finditer(r"^\| ([^|]+) \|", text, re.MULTILINE)
        if match[1].strip() not in ("fault", "---")
    ]


def _rows(reports: Iterable[Path]) -> dict[str, Row]:
    rows: dict[str, Row] = defaultdict(Row)
    for report in reports:
        if not report.exists():
            continue
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314  our own pytest wrote it
            told = [(each.get("name"), each.get("value", "")) for each in case.iter("property")]
            for name in {value for key, value in told if key == "fault"}:
                row = rows[name]
                bad = case.find("failure") is not None or case.find("error") is not None
                skipped = case.find("skipped") is not None
                row.failed += bad
                row.skipped += skipped
                row.passed += not bad and not skipped
                row.parts[report.stem] += not bad and not skipped
                row.seconds += float(case.get("time", 0))
                row.figures += [value for key, value in told if key == "figure"]
    return rows
