# SPDX-License-Identifier: GPL-3.0-or-later
"""Many prompts, one after another: a file for each, a report that grows, and nothing done twice.

Where one machine is not enough the same command runs on several; torchrun or Slurm tell each which part is its own.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .errors import BackendError
from .memory import in_batches
from .motion.formats import write_takes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from .prompts import Wanted
    from .request import Request, Take

    Generate = Callable[[Request, Callable[[str, int, int], None] | None], list[Take]]

SPLITS: Final = (
    ("RANK", "WORLD_SIZE", None),
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN"),
    ("SLURM_PROCID", "SLURM_NTASKS", None),
)
"""Variables of torchrun and Slurm: which part is ours, how many there are, what counting begins with."""


@dataclass(frozen=True, slots=True)
class Part:
    """Ours are the rows `index`, `index + parts`, `index + 2 parts`, ...: no row is in two parts, none in no part."""

    index: int = 0
    parts: int = 1

    def of(self, rows: Sequence[Wanted]) -> list[Wanted]:
        return list(rows[self.index :: self.parts])

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Part:
        """What the scheduler says; all rows where there is none. Raises BackendError where it contradicts itself."""
        for index_name, parts_name, first_name in SPLITS:
            if index_name in environment and parts_name in environment:
                try:
                    first = int(environment.get(first_name, "0")) if first_name else 0
                    part = cls(int(environment[index_name]) - first, int(environment[parts_name]))
                except ValueError:
                    part = cls(-1)
                if not 0 <= part.index < part.parts:
                    raise BackendError(
                        "bad_split",
                        f"{index_name} and {parts_name} do not say which part is meant.",
                        "Number array jobs in steps of one, or unset the variables.",
                    )
                return part
        return cls()


@dataclass
class Batch:
    """The rows of a file, made into files of `folder`; what earlier runs finished, of any part, is left alone."""

    rows: Sequence[Wanted]
    folder: Path
    suffix: str = ".npz"
    part: Part = field(default_factory=Part)

    def run(self, generate: Generate, told: Callable[[Wanted, dict[str, Any]], None]) -> int:
        """Makes what is missing, and returns how many of our rows failed. `told(row, entry)` after each."""
        self.folder.mkdir(parents=True, exist_ok=True)
        done = self.finished()
        failed = 0
        with self.report.open("a", encoding="utf-8") as report:
            for row in self.part.of(self.rows):
                if row.name in done:
                    continue
                entry = self._make(row, generate)
                failed += entry["status"] != "done"
                report.write(json.dumps(entry, ensure_ascii=False) + "\n")
                report.flush()
                told(row, entry)
        return failed

    @property
    def report(self) -> Path:
        return self.folder / f"report-{self.part.index + 1}-of-{self.part.parts}.jsonl"

    def finished(self) -> set[str]:
        """Names of the rows that are done and whose files are there, whoever made them."""
        wanted = {row.name: row.fingerprint() for row in self.rows}
        return {
            entry["name"]
            for entry in self.entries()
            if entry["status"] == "done"
            and wanted.get(entry["name"]) == entry["fingerprint"]
            and all((self.folder / file).is_file() for file in entry["files"])
        }

    def entries(self) -> list[dict[str, Any]]:
        """What the reports of all parts say; a line that a kill cut off is left out."""
        found = []
        for report in sorted(self.folder.glob("report-*-of-*.jsonl")):
            for line in report.read_text("utf-8", "replace").splitlines():
                try:
                    entry = json.loads(line)
                    if {"name", "fingerprint", "status", "files"} <= entry.keys():
                        found.append(entry)
                except (ValueError, AttributeError):
                    continue
        return found

    def _make(self, row: Wanted, generate: Generate) -> dict[str, Any]:
        entry: dict[str, Any] = {"name": row.name, "fingerprint": row.fingerprint(), "prompt": row.request.prompt}
        try:
            takes, _ = in_batches(generate, row.request, None)
            files = write_takes(
                self.folder / (row.name + self.suffix),
                [take.motion for take in takes],
                [take.provenance.to_json() for take in takes],
            )
        except BackendError as error:
            if error.code == "cannot_write":
                raise
            return entry | {"status": "failed", "files": [], "message": error.message, "remedy": error.remedy}
        return entry | {"status": "done", "files": [file.name for file in files]}
