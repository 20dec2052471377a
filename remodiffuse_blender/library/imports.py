# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of BVH files, read into one's own library clip by clip."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import bvh_clips, takes
from ..shared import BackendError
from ..shared import library_messages as messages
from .questions import Asking, check, desk, search_again

if TYPE_CHECKING:
    import bpy

    from ..shared import Motion


class Import(threading.Thread):
    """Reads a folder of BVH files beside Blender's main thread: numpy and files only, never bpy."""

    def __init__(self, files: list[bvh_clips.Described]) -> None:
        super().__init__(name="remodiffuse-import", daemon=True)
        self.files = files
        self.read = self.added = 0
        self.problems: list[str] = []
        self.clips: queue.Queue[tuple[bvh_clips.Described, Motion]] = queue.Queue(maxsize=4)
        self.stopped = threading.Event()

    def run(self) -> None:
        for described in self.files:
            try:
                for motion in bvh_clips.read_clips(described.path):
                    self._put(described, motion)
            except BackendError as error:
                self.problems.append(f"{described.path.name}: {error}")
            self.read += 1
            if self.stopped.is_set():
                return

    def _put(self, described: bvh_clips.Described, motion: Motion) -> None:
        while not self.stopped.is_set():
            try:
                self.clips.put((described, motion), timeout=0.1)
            except queue.Full:
                continue
            return

    @property
    def over(self) -> bool:
        return not self.is_alive() and self.clips.empty()


@dataclass
class Importing:
    """The import on its way."""

    work: Import | None = None


importing: Final = Importing()


def check_import(context: bpy.types.Context) -> None:
    check(context)
    if importing.work:
        raise BackendError("busy", "A folder is being imported.", "Wait for it, or press Cancel.")


def check_importing(context: bpy.types.Context) -> None:
    if not importing.work:
        raise BackendError("not_running", "Nothing is being imported.", "Nothing needs to be done.")


def start_import(context: bpy.types.Context, folder: str, licence: str) -> None:
    """Reads the BVH files that captions.csv of a folder describes into one's own library, one after the other."""
    check_import(context)
    files = bvh_clips.read_table(Path(folder), licence.strip())
    desk.error, desk.note = None, ""
    importing.work = Import(files)
    importing.work.start()
    takes.pump.start()


def cancel_import() -> None:
    """Clips that were added already stay."""
    if importing.work:
        importing.work.stopped.set()
        _end(f"Cancelled after {importing.work.added} clips.")


def feed() -> bool:
    """Hands the next clip of an import to the backend."""
    work = importing.work
    if work is None or desk.asked or desk.tasks:
        return False
    try:
        described, motion = work.clips.get_nowait()
    except queue.Empty:
        if not work.over:
            return True
        added, files, failed = work.added, len(work.files), work.problems
        if failed:
            _end(f"Imported {added} clips of {files} files. {len(failed)} failed: {failed[0]}")
        else:
            _end(f"Imported {added} clips of {files} files.")
        return True

    def count(_: messages.Answer) -> None:
        work.added += 1

    question = messages.Question(
        "add", captions=described.captions, source=described.source, licence=described.licence, motion=motion
    )
    desk.tasks.append(Asking(question, count))
    return True


def _end(note: str) -> None:
    importing.work, desk.note = None, note
    search_again()


def end() -> None:
    """Reads no more."""
    if importing.work:
        importing.work.stopped.set()
        importing.work.join(2.0)
    importing.work = None
