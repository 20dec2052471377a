# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of a library file, and the check that a file is one of ours and of this version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import BackendError

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

APPLICATION: Final = 0x524D4466  # "RMDf": tells SQLite files of this kind from all others.
VERSION: Final = 2

_FORMAT_1: Final = (
    "CREATE TABLE library (name TEXT NOT NULL)",
    "CREATE TABLE clips (id INTEGER PRIMARY KEY, frames INTEGER NOT NULL, hash TEXT NOT NULL UNIQUE, "
    "source TEXT NOT NULL, licence TEXT NOT NULL, tags TEXT NOT NULL)",
    # Apart from the clips: searching reads every clip's length and must not page through every motion for it.
    "CREATE TABLE motions (clip INTEGER PRIMARY KEY REFERENCES clips (id), root BLOB NOT NULL, joints BLOB NOT NULL, "
    "contacts BLOB NOT NULL)",
    # Clips share texts ("a person walks"), so features are kept once per text, not per clip.
    "CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
    "CREATE TABLE captions (clip INTEGER NOT NULL REFERENCES clips (id), "
    "text INTEGER NOT NULL REFERENCES texts (id), PRIMARY KEY (clip, text)) WITHOUT ROWID",
    "CREATE TABLE sentences (encoder TEXT NOT NULL, text INTEGER NOT NULL REFERENCES texts (id), vector BLOB NOT NULL, "
    "PRIMARY KEY (encoder, text)) WITHOUT ROWID",
)
"""`hash` is the SHA-256 of the motion, `tags` a JSON list, `vector` the encoder's sentence vector in float16."""
_FEATURES: Final = (
    # What official databases add: see clip.Features. Apart from their bytes for the same reason as motions.
    "CREATE TABLE features (clip INTEGER PRIMARY KEY REFERENCES clips (id), layout TEXT NOT NULL, "
    "frames INTEGER NOT NULL, fps REAL NOT NULL, encoder TEXT NOT NULL, token_count INTEGER NOT NULL)",
    "CREATE TABLE feature_rows (clip INTEGER PRIMARY KEY REFERENCES clips (id), rows BLOB NOT NULL, "
    "tokens BLOB NOT NULL)",
)
TABLES: Final = {1: _FORMAT_1, 2: _FORMAT_1 + _FEATURES}
"""By format. Files of format 1 are read as they are, and brought up to date when somebody writes to them."""


def create_tables(connection: sqlite3.Connection, name: str) -> None:
    """Turn an empty database into an empty library."""
    # Larger pages: a clip is about 14 kB, a sentence vector 768 bytes.
    connection.execute("PRAGMA page_size = 16384")
    connection.execute("PRAGMA journal_mode = WAL")
    with connection:
        connection.execute("BEGIN")
        for table in TABLES[VERSION]:
            connection.execute(table)
        connection.execute("INSERT INTO library VALUES (?)", (name,))
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


def upgrade(connection: sqlite3.Connection) -> None:
    """Give a library of an older format, open for writing, the tables that it lacks."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have been faster.
        for table in TABLES[VERSION][len(TABLES[_format(connection)]) :]:
            connection.execute(table)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def stand_in(connection: sqlite3.Connection) -> None:
    """Let a library of an older format, open for reading, look as if the tables that it lacks were there and empty."""
    connection.execute("PRAGMA temp_store = MEMORY")
    for table in TABLES[VERSION][len(TABLES[_format(connection)]) :]:
        connection.execute(table.replace("CREATE TABLE", "CREATE TEMP TABLE").replace(" REFERENCES clips (id)", ""))


def _format(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def check_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Raises BackendError where the file is no library, or one of an unknown version.

    A stranger's file may hold triggers or views that run on our reads: whatever is not exactly our tables is refused.
    """
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise foreign(path)
    version = _format(connection)
    if version not in TABLES:
        raise BackendError(
            "library_version",
            f"The library {path} has format {version}, this version reads up to {VERSION}.",
            "Update the extension." if version > VERSION else "Import its clips again.",
        )
    held = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    if sorted(sql for (sql,) in held) != sorted(TABLES[version]):
        raise foreign(path)


def foreign(path: Path) -> BackendError:
    return BackendError(
        "library_foreign",
        f"{path} is not a motion library.",
        "Choose a library made with this extension, or import the clips into one.",
    )
