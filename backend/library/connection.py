# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening library files with SQLite, and SQLite's complaints in our words."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from ..errors import BackendError
from .schema import check_tables, create_tables, foreign, stand_in, upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl

MAX_ROW_BYTES: Final = 1 << 20
"""No honest row is larger; SQLite refuses to read one that is, before memory is taken."""
BUSY_SECONDS: Final = 10


def create_file(path: Path, name: str) -> None:
    """Write an empty library; a kill leaves none rather than half of one."""
    draft = path.with_name(path.name + ".new")
    with sqlite_errors(path), alone_in(path.parent):
        if path.exists():
            raise BackendError("library_exists", f"{path} exists already.", "Open it, or choose another name.")
        draft.unlink(missing_ok=True)
        connection = sqlite3.connect(draft, isolation_level=None)
        create_tables(connection, name)
        connection.close()
        remove_companions(path)
        draft.rename(path)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Nobody else makes a library in this folder meanwhile. The system frees it however the holder ends.

    Without it the second of two would take away the log that the first one has begun to write. Where folders cannot be
    locked, as on Windows, it does nothing.
    """
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def remove_companions(path: Path) -> None:
    """SQLite replays a log that lies beside a database, also that of another one that had this name before."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open a library file. Raises BackendError where it is missing, foreign, damaged or of another version."""
    if not path.is_file():
        raise BackendError("library_missing", f"There is no library {path}.", "Check the path, or create it first.")
    mode = "mode=rw" if write else "mode=ro"
    if not write and not os.access(path.parent, os.W_OK):
        # Readers of a WAL file share a small file beside it; where that cannot be made, nobody can write either.
        mode += "&immutable=1"
    with sqlite_errors(path):
        uri = f"{path.absolute().as_uri()}?{mode}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)
        try:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_ROW_BYTES)
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA synchronous = NORMAL")
            check_tables(connection, path)
            if write:
                upgrade(connection)
            else:
                stand_in(connection)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into BackendErrors about `path`."""
    try:
        yield
    except UnicodeError as error:  # Python cannot even read what SQLite says about a damaged file.
        raise damaged(path) from error
    except sqlite3.DatabaseError as error:
        # The low byte is the kind of error, the rest a finer distinction.
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_NOTADB:
                raise foreign(path) from error
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                raise BackendError(
                    "library_busy", f"Another program is writing to {path}.", "Wait until it is done and try again."
                ) from error
            case sqlite3.SQLITE_FULL:
                raise BackendError(
                    "disk_full", f"There is no room to write {path}.", "Free some disk space and try again."
                ) from error
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                raise _inaccessible(path) from error
            case _:
                raise damaged(path) from error
    except OSError as error:
        raise _inaccessible(path) from error


def damaged(path: Path) -> BackendError:
    return BackendError(
        "library_damaged", f"The library {path} is damaged.", "Restore it from a backup or make it again."
    )


def _inaccessible(path: Path) -> BackendError:
    return BackendError(
        "library_inaccessible", f"{path} cannot be opened or written.", "Check its folder and its permissions."
    )
