# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of many prompts, .csv or .jsonl, for batches with and without Blender. Standard library and numpy only."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from .errors import BackendError
from .request import Request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_ROWS: Final = 1_000_000
MAX_FILE: Final = 1 << 30
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
COLUMNS: Final = ("name", "prompt", "seconds", "seed", "count", "quality", "armature", "frame")
DEFAULT_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """One row: a request, the name of what is made of it and, inside Blender, for which armature and from where on."""

    name: str
    request: Request
    armature: str = ""
    frame: int = 1

    def fingerprint(self) -> str:
        """Changes with whatever changes the result."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def read_prompts(path: Path, quality: str = "full") -> list[Wanted]:
    """All rows of a file; `quality` is that of rows that name none.

    Raises BackendError, naming the row, where one cannot be read: before any work is done.
    """
    reader = {".csv": _csv_rows, ".jsonl": _json_rows}.get(path.suffix)
    if reader is None:
        raise _bad(f"{path} is neither .csv nor .jsonl")
    rows: list[Wanted] = []
    names: set[str] = set()
    try:
        if path.stat().st_size > MAX_FILE:
            raise _bad(f"{path} is too large")
        for number, fields in enumerate(reader(path), start=1):
            row = _wanted({"quality": quality} | fields, number)
            if row.name.lower() in names:
                raise _bad(f"row {number} has the name {row.name}, which another row has too")
            if number > MAX_ROWS:
                raise _bad(f"it has more than {MAX_ROWS} rows")
            names.add(row.name.lower())
            rows.append(row)
    except (OSError, UnicodeError, ValueError, csv.Error) as error:
        raise _bad(f"{path} cannot be read ({error})") from error
    if not rows:
        raise _bad(f"{path} has no rows")
    return rows


def _csv_rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for fields in csv.DictReader(stream, restkey=None):
            yield {name: text.strip() for name, text in fields.items() if name is not None and text and text.strip()}


def _json_rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            if line.strip():
                fields = json.loads(line)
                if not isinstance(fields, dict):
                    raise ValueError(f"a line is no object: {line[:40]!r}")
                yield fields


def _wanted(fields: dict[str, Any], number: int) -> Wanted:
    if unknown := sorted(fields.keys() - set(COLUMNS)):
        raise _bad(f"row {number} has an unknown column {unknown[0][:40]!r}")
    name = str(fields.get("name", f"{number:05d}"))
    if not NAME.fullmatch(name) or name.endswith("."):
        raise _bad(f"row {number} has a name that cannot be a file's: {name[:40]!r}")
    try:
        request = Request(
            str(fields.get("prompt", "")),
            float(fields.get("seconds", DEFAULT_SECONDS)),
            int(fields.get("seed", 0)),
            int(fields.get("count", 1)),
            str(fields["quality"]),
        )
        return Wanted(name, request, str(fields.get("armature", "")), int(fields.get("frame", 1)))
    except BackendError as error:
        raise BackendError(error.code, f"Row {number}: {error.message}", error.remedy) from error
    except (TypeError, ValueError, OverflowError) as error:
        raise _bad(f"row {number} has something else than a number ({error})") from error


def _bad(problem: str) -> BackendError:
    return BackendError(
        "bad_prompts",
        f"The prompts cannot be used: {problem}.",
        f"Give a .csv with a heading, or a .jsonl, with the columns {', '.join(COLUMNS)}; only prompt is needed.",
    )
