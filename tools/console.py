# SPDX-License-Identifier: GPL-3.0-or-later
"""Words to the person at the terminal, and long commands run with their noise kept in a log."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
LOG_TAIL: Final = 25
HEARTBEAT_SECONDS: Final = 20.0
TIME_LIMIT_SECONDS: Final = 30 * 60.0


class BuildError(Exception):
    """A command cannot go on; `message` says what happened and `remedy` what to do about it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}\n{remedy}")
        self.message = message
        self.remedy = remedy


def say(text: str = "") -> None:
    """One line to the terminal, at once."""
    print(text, flush=True)


def aside(text: str) -> None:
    """One line about work on the way; standard output stays free for results."""
    print(text, file=sys.stderr, flush=True)


def relative(path: Path) -> str:
    """The path as people see it: relative to where they stand where that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def call(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    timeout: float | None = None,
) -> int:
    """Run a command whose output people want to see; its exit code. A command that runs too long is killed: 124."""
    words = [str(word) for word in command]
    try:
        return subprocess.run(words, cwd=cwd, env=env, timeout=timeout, check=False).returncode  # noqa: S603
    except subprocess.TimeoutExpired:
        say(f"Stopped after {timeout:.0f} s: {' '.join(words[:4])} ...")
        return 124


def call_quietly(command: Sequence[str | Path], log: Path, what: str, remedy: str) -> None:
    """Run a noisy command with its output in `log` and a sign of life on the terminal.

    Raises BuildError with the log's last lines when the command fails or takes longer than half an hour.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    started = beat = time.monotonic()
    with log.open("a", encoding="utf-8", errors="replace") as stream:
        process = subprocess.Popen(  # noqa: S603
            [str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:
                time.sleep(0.2)
                if time.monotonic() - beat > HEARTBEAT_SECONDS:
                    beat = time.monotonic()
                    aside(f"    {what}: {beat - started:.0f} s")
                if time.monotonic() - started > TIME_LIMIT_SECONDS:
                    process.kill()
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode:
        raise BuildError(f"Failed: {what}.\n{last_lines(log, LOG_TAIL)}", f"{remedy} The whole log: {relative(log)}")


def last_lines(log: Path, count: int) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
    return "\n".join(lines[-count:])


def fail(error: BuildError) -> int:
    """Show an error as people should see it; the exit code of a failed command."""
    sys.stdout.flush()
    print(f"\nError: {error.message}\n{error.remedy}", file=sys.stderr, flush=True)
    return 1
