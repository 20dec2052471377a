# SPDX-License-Identifier: GPL-3.0-or-later
"""The animator's own libraries: the files of one folder. They serve retrieval at once, and clips come and go."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..errors import BackendError
from .connection import alone_in, remove_companions, sqlite_errors
from .storage import Library

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from ..text import TextEncoder
    from .clip import Clip

OWN: Final = "own"
"""The library that new clips go to; made with the first of them."""
SUFFIX: Final = ".sqlite"


@dataclass(frozen=True, slots=True)
class Listed:
    """A library in the words of the sidebar. `own` ones can be changed; `problem` says why one cannot be used."""

    name: str
    clips: int
    own: bool
    problem: str = ""


class Shelf:
    """The libraries of a folder, open for writing, with text features of one encoder. One thread at a time.

    A file that cannot be used is listed with its problem and otherwise left out: it must not stop what works.
    Names in `taken` belong to libraries from elsewhere.
    """

    def __init__(self, folder: Path, encoder: TextEncoder, taken: Collection[str] = ()) -> None:
        self.folder = folder
        self._encoder = encoder
        self._taken = frozenset(taken)
        self._open: dict[str, Library] = {}
        self._problems: dict[str, BackendError] = {}
        for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []:
            try:
                self._take_in(path)
            except BackendError as error:
                self._problems[path.stem] = error

    @property
    def libraries(self) -> list[Library]:
        return list(self._open.values())

    def listed(self) -> list[Listed]:
        usable = [Listed(library.name, len(library), own=True) for library in self.libraries]
        return usable + [Listed(name, 0, own=True, problem=str(error)) for name, error in self._problems.items()]

    def add(self, clip: Clip) -> int:
        """Stores a clip in the animator's own library and returns its id there; it can be retrieved at once."""
        self._try_again(OWN)
        library = self._open.get(OWN)
        if library is None:
            if OWN in self._taken:
                raise _taken(OWN)
            library = self._open[OWN] = self._make_own()
        number = library.add(clip)
        library.index(self._encoder)
        return number

    def _make_own(self) -> Library:
        """Opens it where another Blender was faster."""
        path = self.folder / f"{OWN}{SUFFIX}"
        with sqlite_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        try:
            return Library.create(path, OWN)
        except BackendError as error:
            if error.code != "library_exists":
                raise
            return Library.open(path, write=True)

    def remove(self, name: str, clip: int) -> None:
        self._own(name).remove(clip)

    def load(self, path: Path) -> str:
        """Copies a library file into the folder and returns its name. Raises BackendError where it cannot be used."""
        with Library.open(path) as source:
            name = source.name
            self._check_name(name)
            target = self.folder / f"{name}{SUFFIX}"
            with sqlite_errors(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
            _copy(source, target, name, replace=False)
        try:
            self._take_in(target)
        except BackendError:
            _delete(target)
            raise
        return name

    def save(self, name: str, path: Path) -> None:
        """Writes a copy to be shared, named after its file. It replaces at most another library."""
        if path.exists():
            Library.open(path).close()
        _copy(self._own(name), path, path.stem, replace=True)

    def unload(self, name: str) -> None:
        """Takes a library out of the folder: its copy there is deleted."""
        if name == OWN:
            raise BackendError(
                "library_own", "Your own library cannot be taken out.", "Save it to a file, or remove its clips."
            )
        path = self.folder / f"{name}{SUFFIX}"
        if name not in self._problems:
            library = self._own(name)
            path = library.path
            library.close()
            del self._open[name]
        self._problems.pop(name, None)
        _delete(path)

    def _take_in(self, path: Path) -> None:
        library = Library.open(path, write=True)
        try:
            self._check_name(library.name)
            if library.layouts() - {None}:
                raise BackendError(
                    "library_unsuitable",
                    f"The library {library.name} belongs to an official model.",
                    "Import it beside that model instead.",
                )
            library.index(self._encoder)
        except BaseException:
            library.close()
            raise
        self._open[library.name] = library

    def _try_again(self, name: str) -> None:
        """What could not be used may be usable by now: a full disk was freed. Raises BackendError where it is not."""
        if name in self._problems:
            try:
                self._take_in(self.folder / f"{name}{SUFFIX}")
            except BackendError as error:
                self._problems[name] = error
                raise
            del self._problems[name]

    def _check_name(self, name: str) -> None:
        if name in self._taken or name in self._open:
            raise _taken(name)
        # It becomes the name of a file.
        if not name or len(name) > 100 or not all(each.isalnum() or each in " ._-" for each in name) or name[0] == ".":
            raise BackendError(
                "library_name",
                f"The library is named {name[:40]!r}, which is no file name.",
                "Save it by another name.",
            )

    def _own(self, name: str) -> Library:
        self._try_again(name)
        if name in self._open:
            return self._open[name]
        raise BackendError(
            "library_not_own", f"The library {name[:60]} is not one of your own.", "Only your own ones can be changed."
        )


def _copy(source: Library, target: Path, name: str, *, replace: bool) -> None:
    """A sealed copy under another name, written beside and renamed."""
    draft = target.with_name(target.name + ".new")
    with sqlite_errors(target), alone_in(target.parent):
        if target.exists() and not replace:
            raise _taken(name)
        try:
            draft.unlink(missing_ok=True)
            connection = sqlite3.connect(draft, isolation_level=None)
            try:
                source.copy_to(connection, name)
            finally:
                connection.close()
            remove_companions(target)
            draft.replace(target)
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)


def _delete(path: Path) -> None:
    with sqlite_errors(path):
        path.unlink(missing_ok=True)
        remove_companions(path)


def _taken(name: str) -> BackendError:
    return BackendError(
        "library_exists", f'There is a library "{name}" already.', "Save one of the two under another name first."
    )
