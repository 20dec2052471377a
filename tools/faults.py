# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py test --faults: every row of docs/reliability.md in full, one after the other, and the table of them.

A row that is done is remembered in build/reports/faults until what is tested changes, so that a run that was
interrupted goes on when it is repeated.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .console import ROOT, BuildError, aside, call_quietly, last_lines, relative, say
from .environments import BACKEND, ensure
from .parts import BACKEND_PART, run_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

TABLE: Final = ROOT / "docs" / "reliability.md"
REPORTS: Final = ROOT / "build" / "reports" / "faults"
WHEELS: Final = ROOT / "build" / "wheels"
ROW_LIMIT_SECONDS: Final = 60 * 60.0
TESTED: Final = ("backend", "remodiffuse_blender", "tests", "blender_manifest.toml", "pyproject.toml")


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


def run(parts: Sequence[str], archive: Path | None, wanted: str, *, anew: bool) -> int:
    """Runs the rows that have `wanted` in their name and prints the table; the exit code.

    Raises BuildError where there is no such row.
    """
    rows = [name for name in documented() if wanted in name]
    if not rows:
        raise BuildError(f"No row has {wanted!r} in its name.", f"The rows: {'; '.join(documented())}.")
    files = marked()
    memory = REPORTS / _fingerprint()
    for other in [*REPORTS.glob("*")] if REPORTS.exists() else []:
        if other != memory:
            shutil.rmtree(other)
    settings = {"REMODIFFUSE_FAULTS": "full"} | _wheels()
    reports = {
        (name, part): memory / f"{re.sub('[^a-z0-9]+', '-', name.lower())}.{part}.xml"
        for name in rows
        for part in parts
        if _files(files, name, part)
    }
    unfinished = []
    for number, ((name, part), report) in enumerate(reports.items(), 1):
        if not anew and report.exists() and not _row([report]).failed:
            continue
        say(f"\n[{number}/{len(reports)}] {name}: {part}")
        words = [*_files(files, name, part), "-m", "fault"]
        run_part(part, archive, report, words, settings=settings | {"REMODIFFUSE_ROW": name}, timeout=ROW_LIMIT_SECONDS)
        if not report.exists():
            unfinished.append(f"{name}: {part}")
    good = _show(rows, {name: [each for (row, _), each in reports.items() if row == name] for name in rows})
    for line in unfinished:
        say(f"  No report: {line}")
    return 0 if good and not unfinished else 1


def _show(rows: Sequence[str], reports: dict[str, list[Path]]) -> bool:
    """Prints the table; whether no row failed."""
    width = max(map(len, rows))
    good = True
    say("\nFaults")
    for name in rows:
        row = _row(reports[name])
        figures = "; ".join(dict.fromkeys(row.figures))
        tests = ", ".join(f"{part} {count}" for part, count in row.parts.items())
        if row.skipped:
            tests += f" ({row.skipped} skipped)"
        say(f"  {name:{width}}  {row.verdict:15}  {tests:25}  {row.seconds:6.1f} s  {figures}")
        good = good and not row.failed
    return good


def documented() -> list[str]:
    """The first cells of the rows under the heading "Faults"."""
    text = TABLE.read_text("utf-8").split("## Faults", 1)[-1].split("\n## ", 1)[0]
    return [
        match[1].strip()
        for match in re.finditer(r"^\| ([^|]+) \|", text, re.MULTILINE)
        if match[1].strip() not in ("fault", "---")
    ]


def marked() -> dict[str, set[str]]:
    """Row -> the files, relative to the checkout, that have a test marked with it."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for match in re.finditer(r'\bmark\.fault\("([^"]+)"\)', path.read_text("utf-8")):
            found.setdefault(match[1], set()).add(path.relative_to(ROOT).as_posix())
    return found


def _files(marked: dict[str, set[str]], row: str, part: str) -> list[str]:
    inside = part != BACKEND_PART
    return sorted(file for file in marked.get(row, ()) if file.startswith("tests/blender/") == inside)


def _fingerprint() -> str:
    """Changes whenever what is tested does, or the tests."""
    found = hashlib.sha256()
    for path in _sources():
        found.update(path.relative_to(ROOT).as_posix().encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    for name in TESTED:
        path = ROOT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                yield file


def _wheels() -> dict[str, str]:
    """The setting that names a folder with the wheels of the real installation, fetched once.

    None where they cannot be: the tests that need them are skipped then, and say so.
    """
    if os.environ.get("REMODIFFUSE_WHEELS"):
        return {}
    log = REPORTS.parent / "wheels.log"
    if not WHEELS.exists():
        draft = WHEELS.with_suffix(".part")
        words = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--progress-bar", "off", "-q"]
        try:
            for name in ("uv", "cpu"):
                lock = ROOT / "backend" / "install" / "locks" / f"{name}.txt"
                call_quietly(
                    [ensure(BACKEND), "-m", "pip", "download", *words, "-d", draft, "-r", lock],
                    log,
                    "fetching the wheels of the installation, 313 MB",
                    "Check the network.",
                )
        except BuildError:
            aside(f"The real installation is left out, its wheels cannot be fetched here:\n{last_lines(log, 2)}")
            return {}
        draft.rename(WHEELS)
        aside(f"The wheels of the installation lie in {relative(WHEELS)}.")
    return {"REMODIFFUSE_WHEELS": str(WHEELS)}


def _row(reports: Iterable[Path]) -> Row:
    """What the tests of one row said; every report is of that row alone."""
    row = Row()
    for report in reports:
        if not report.exists():
            continue
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314  our own pytest wrote it
            bad = case.find("failure") is not None or case.find("error") is not None
            skipped = case.find("skipped") is not None
            row.failed += bad
            row.skipped += skipped
            row.passed += not bad and not skipped
            row.parts[report.stem.partition(".")[2]] += not bad and not skipped
            row.seconds += float(case.get("time", 0))
            row.figures += [each.get("value", "") for each in case.iter("property") if each.get("name") == "figure"]
    return row
