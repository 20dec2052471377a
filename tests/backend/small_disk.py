# SPDX-License-Identifier: GPL-3.0-or-later
"""A small disk of its own, that can be filled, write-protected and freed again."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Disk:
    """A small disk of its own, that can be filled, write-protected and enlarged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def mount(self, options: str) -> None:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)],  # noqa: S607  the system's own
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"a disk of its own needs the right to mount one: {done.stderr.strip()}")

    def fill(self) -> None:
        with suppress(OSError), (self.folder / "filler").open("wb") as stream:
            while True:
                stream.write(bytes(4096))
                stream.flush()

    def free(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)

    def protect(self) -> None:
        self.mount("remount,ro")

    def unprotect(self) -> None:
        self.mount("remount,rw")


@contextmanager
def small_disk(folder: Path, size: str = "24m") -> Iterator[Disk]:
    """Skips the test where none can be made."""
    if sys.platform != "linux":
        pytest.skip("a disk of its own is made on Linux only")
    folder.mkdir()
    made = Disk(folder)
    made.mount(f"size={size}")
    yield made
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607  the system's own
