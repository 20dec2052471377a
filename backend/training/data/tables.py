# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of clips: what is in each file, in whose words, under which licence, how fast it was recorded."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ...errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOT_STATED: Final = "not stated"

_CMU_LINE: Final = re.compile(r"\s*(\d+_\d+)\s+(\S.*)")
"""A line of CMU's index as text: "01_01    playground - forward jumps, turn around"."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One clip. `description` is a label of its source, which captions.toml may have sentences for; `captions` are
    sentences already."""

    clip: str
    file: str = ""
    description: str = ""
    captions: tuple[str, ...] = ()
    licence: str = NOT_STATED
    fps: float | None = None
    skeleton: str = ""


def read_entries(folder: Path, licence: str = NOT_STATED) -> list[Entry] | None:
    """The clips of a folder by its table, and where there is a captions.csv beside it with the captions of that. None
    where there is no table. `licence` of clips that name none.

    The table is index.csv, else CMU's descriptions as .csv, else CMU's index as text, else captions.csv itself.
    """
    found = [
        *folder.glob("index.csv"),
        *sorted(folder.glob("*descriptions*.csv")),
        *sorted(folder.glob("*index*.txt")),
        *folder.glob("captions.csv"),
    ]
    if not found:
        return None
    table = found[0]
    rows = _cmu_index(table) if table.suffix == ".txt" else _rows(table)
    entries = _merged(rows, licence)
    extra = folder / "captions.csv"
    if extra.is_file() and extra != table:
        captions = {entry.clip: entry.captions for entry in _merged(_rows(extra), licence)}
        entries = [replace(entry, captions=entry.captions + captions.get(entry.clip, ())) for entry in entries]
    return entries


def _merged(rows: Iterator[dict[str, str]], licence: str) -> list[Entry]:
    """Several rows of a clip are several captions of it."""
    entries: dict[tuple[str, str], Entry] = {}
    for row in rows:
        file = row.get("file", "")
        clip = row.get("clip") or file.rpartition("/")[2].rpartition(".")[0]
        caption = row.get("caption", "").strip()
        fps = row.get("fps") or row.get("capture_fps")
        new = Entry(
            clip,
            file,
            row.get("description", ""),
            (caption,) if caption else (),
            row.get("licence") or row.get("license") or licence,
            float(fps) if fps else None,
            row.get("skeleton", ""),
        )
        known = entries.get((clip, file))
        entries[clip, file] = new if known is None else replace(known, captions=known.captions + new.captions)
    return list(entries.values())


def _rows(table: Path) -> Iterator[dict[str, str]]:
    with table.open(newline="", encoding="utf-8-sig") as handle:
        reader = csv.DictReader(handle)
        names = set(reader.fieldnames or ())
        if not names & {"clip", "file"} or not names & {"description", "caption"}:
            raise BackendError(
                "no_data",
                f"{table.name} has no columns that name clips and say what they are.",
                "Give it a column clip or file, and a column description or caption.",
            )
        for row in reader:
            yield {key: value or "" for key, value in row.items() if isinstance(key, str)}


def _cmu_index(table: Path) -> Iterator[dict[str, str]]:
    for line in table.read_text(encoding="utf-8", errors="replace").splitlines():
        if found := _CMU_LINE.fullmatch(line.rstrip()):
            yield {"clip": found[1], "description": found[2].strip()}
