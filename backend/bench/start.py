# SPDX-License-Identifier: GPL-3.0-or-later
"""From the start of the backend's process to its first take, and the memory that it holds while it waits."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from .. import protocol
from ..errors import BackendError

PROMPT: Final = "a person walks forward"
SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class StartRow:
    """`first_take_seconds`: imports, weights and one take of 4 seconds; `next_take_seconds`: the same take again;
    `idle_megabytes`: resident afterwards, 0 where the system does not tell."""

    model: str
    first_take_seconds: float
    next_take_seconds: float
    idle_megabytes: float


def measure_start(model: Path, device: str) -> StartRow:
    """Raises BackendError where the backend cannot start with that model."""
    words = ["-m", "backend", "serve", "--model", str(model), "--device", device]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    begin = time.perf_counter()
    with subprocess.Popen(  # noqa: S603  ourselves
        [sys.executable, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101  they are pipes
        try:
            times, name = [], ""
            for number in (1, 2):
                name = _take(process.stdin, process.stdout, number) or name
                times.append(time.perf_counter() - begin)
                begin = time.perf_counter()
            return StartRow(name or model.name, times[0], times[1], _resident(process.pid) / 1e6)
        finally:
            process.stdin.close()


def _take(to: IO[bytes], back: IO[bytes], number: int) -> str:
    """Ask for a take and read until it is there. Returns the model's name where the backend said it."""
    request = {"prompt": PROMPT, "seconds": SECONDS, "seed": 0, "count": 1, "quality": "full"}
    to.write(protocol.encode({"type": "generate", "id": number, "request": request}))
    to.flush()
    name = ""
    while (frame := protocol.read(back)) is not None:
        name = str(frame.header.get("model", name)) if frame.type == "status" else name
        if frame.type == "error":
            raise BackendError(
                str(frame.header.get("code")), str(frame.header.get("message")), str(frame.header.get("remedy"))
            )
        if frame.type == "done":
            return name
    raise BackendError("backend_ended", "The backend ended before its take.", "Run it to see why: backend serve")


def _resident(process: int) -> int:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
