# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that adds clips to a library until it is killed, and tells the number of each that is written."""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import TYPE_CHECKING

import pytest
from gaits import gait

from backend.library import Clip, Library

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path


def write(path: Path, told: Connection) -> None:
    library = Library.open(path, write=True) if path.exists() else Library.create(path)
    start = len(library)
    told.send(os.getpid())
    for number in range(start, start + 100_000):
        positions, contacts = gait(80, (number % 5000) / 5000, 0.5)
        told.send(library.add(Clip((f"clip {number}",), positions, contacts, f"{number}", "CC0-1.0")))


class Writer:
    """`write` in a process of its own, forked from one that has everything imported: it starts in milliseconds."""

    def __init__(self, path: Path) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["writer"])
        self._told, end = context.Pipe(duplex=False)
        self._process = context.Process(target=write, args=(path, end), daemon=True)
        with pytest.MonkeyPatch.context() as patch:
            # Whoever forks must find this file.
            patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
            self._process.start()
        end.close()
        assert self.next() == self._process.pid

    def next(self) -> int:
        """What it tells next; raises EOFError at its end."""
        return self._told.recv()

    def kill(self) -> set[int]:
        """Kills it, and returns what it had told but nobody had heard."""
        self._process.kill()
        self._process.join()
        heard = set()
        try:
            while True:
                heard.add(self.next())
        except (EOFError, OSError):
            self._told.close()
        return heard
