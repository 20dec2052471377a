# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of an installation: what lies where, whether it is complete, and how it goes again."""

from __future__ import annotations

import contextlib
import json
import ntpath
import os
import shutil
import signal
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from ..errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path, PureWindowsPath
    from typing import IO

MARK: Final = ".remodiffuse-backend"
"""Lies in every folder that we made: only such a folder is ever emptied."""


ORPHAN_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Ready:
    """What the sentinel says. Without a readable one the installation is not complete."""

    build: str
    fingerprint: str
    python: str
    packages: dict[str, str]
    device: str
    memory: int
    bytes: int
    seconds: float
    note: str = ""
    """Why a GPU that is there is not used."""


@dataclass(frozen=True, slots=True)
class Place:
    """Everything lies within `folder`: nothing is written elsewhere."""

    folder: Path

    @property
    def environment(self) -> Path:
        return self.folder / "environment"

    @property
    def python(self) -> Path:
        return self.environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def tools(self) -> Path:
        return self.folder / "tools"

    @property
    def cache(self) -> Path:
        """Finished packages, kept until all are: what makes an interrupted installation go on instead of anew."""
        return self.folder / "cache"

    @property
    def log(self) -> Path:
        return self.folder / "install.log"

    @property
    def lock_file(self) -> Path:
        """Locked by whoever works here; holds the process numbers of the installer and of the program that it runs."""
        return self.folder / "install.lock"

    @property
    def sentinel(self) -> Path:
        return self.folder / "ready.json"

    def ready(self) -> Ready | None:
        """What is installed, or None where nothing is, or not all of it."""
        try:
            found = Ready(**json.loads(self.sentinel.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return found if self.python.is_file() else None

    def make(self) -> None:
        """Raises BackendError where the folder cannot be made, written, or belongs to somebody else."""
        try:
            if self.folder.is_dir() and not (self.folder / MARK).exists() and any(self.folder.iterdir()):
                raise BackendError(
                    "folder_in_use", f"{self.folder} holds something else.", "Choose an empty folder or a new one."
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / MARK).write_text("Made by ReMoDiffuse for its backend; uninstalling removes this folder.\n")
        except OSError as error:
            raise BackendError(
                "cannot_write",
                f"{self.folder} cannot be written ({error.strerror}).",
                "Free some space or give yourself the right to write there, then install again.",
            ) from error

    def finish(self, ready: Ready) -> None:
        """Writes the sentinel, last of all."""
        draft = self.sentinel.with_suffix(".new")
        with draft.open("w", encoding="utf-8") as stream:
            json.dump(asdict(ready), stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(self.sentinel)

    def clear(self) -> None:
        """Back to before the first installation, but for the folder and its log. Errors as in `remove`."""
        if not self.folder.exists():
            return
        if not (self.folder / MARK).exists():
            raise BackendError("folder_in_use", f"{self.folder} is not ours.", "Remove it by hand if it has to go.")
        end_orphan(self)
        with self.held(), _removal_told():
            self.sentinel.unlink(missing_ok=True)
            for part in (self.environment, self.tools, self.cache):
                remove_tree(part)

    def remove(self) -> None:
        """Uninstalls. Raises BackendError where something cannot be removed, is at work or is not ours."""
        self.clear()
        with _removal_told():
            # The mark goes last: an interrupted uninstallation can be repeated.
            for part in sorted(self.folder.glob("*"), key=lambda path: path.name == MARK):
                part.unlink()
            (self.folder / MARK).unlink(missing_ok=True)
            if self.folder.exists():
                self.folder.rmdir()

    @contextlib.contextmanager
    def held(self) -> Iterator[IO[str]]:
        """Nobody else works on this folder meanwhile. The system frees it however the holder ends.

        Raises BackendError where another installation, of this or another Blender, is at work.
        """
        stream = self.lock_file.open("a+", encoding="utf-8")
        try:
            try:
                _lock(stream)
            except OSError as error:
                raise BackendError(
                    "installing", "Another installation is at work in this folder.", "Wait for it, or cancel it there."
                ) from error
            yield stream
        finally:
            stream.close()


@contextlib.contextmanager
def _removal_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackendError(
            "cannot_write",
            f"{error.filename} cannot be removed ({error.strerror}).",
            "Stop the backend and look at the rights of the folder, then try again.",
        ) from error


def end_orphan(place: Place) -> None:
    """Ends the program of an installation that was killed, which may still be at work, and then holds the lock."""
    if os.name == "nt" or not place.lock_file.exists():
        return
    with contextlib.suppress(BackendError), place.held():
        return
    with contextlib.suppress(OSError, ValueError):
        installer, program = map(int, place.lock_file.read_text().split())
        if _lives(installer):
            return
        os.kill(program, signal.SIGKILL)
        deadline = time.monotonic() + ORPHAN_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(BackendError), place.held():
                return
            time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def remove_tree(path: Path) -> None:
    if path.exists():
        shutil.rmtree(_here(path))


def size_of(path: Path) -> int:
    """Bytes of the files beneath, each counted once however many names it has; files may come and go meanwhile."""
    total, seen = 0, set()
    pending: list[Any] = [_here(path)]
    while pending:
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                        continue
                    found = entry.stat(follow_symlinks=False)
                    if found.st_nlink > 1:
                        if found.st_ino in seen:
                            continue
                        seen.add(found.st_ino)
                    total += found.st_size
    return total


def _here(path: Path) -> Path | str:
    return any_length(path) if os.name == "nt" else path


def any_length(path: Path | PureWindowsPath) -> str:
    """The full path as Windows takes it at any length.

    By default it holds Python to 260 characters, not uv, which unpacks: PyTorch's longest file has more than 300 in the
    extension's user folder.
    """
    full = ntpath.abspath(path)
    if full.startswith("\\\\?\\"):
        return full
    return "\\\\?\\UNC" + full[1:] if full.startswith("\\\\") else "\\\\?\\" + full


if sys.platform == "win32":
    import msvcrt

    _BEYOND: Final = 1 << 30
    """Windows locks bytes, against readers, too, and where the file stands: this one, after all that is written."""

    def _lock(stream: IO[str]) -> None:
        os.lseek(stream.fileno(), _BEYOND, os.SEEK_SET)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(stream: IO[str]) -> None:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
