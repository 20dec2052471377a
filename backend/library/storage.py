# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion library: one SQLite file. Writes are transactions, so a kill loses at most the clip being added."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from ..errors import BackendError
from ..motion.skeleton import FPS
from .clip import MAX_CAPTIONS, Clip, PackedFeatures, PackedMotion, pack, unpack, unpack_features
from .connection import connect, create_file, damaged, sqlite_errors
from .index import CaptionIndex

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ..text import TextEncoder

MAX_TEXTS: Final = 1_000_000
INDEX_BATCH: Final = 256


class Match(NamedTuple):
    """A clip that a search found, and the one of its captions that fits best."""

    clip: int
    caption: str
    score: float


class Library:
    """An open library. One thread at a time; other processes may read, and one may write, at the same time.

    Every method raises BackendError where the file is damaged, locked or cannot be written.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Use `create` or `open`."""
        self.path = path
        self._connection = connection
        self._indexes: dict[str, tuple[tuple[int, int], CaptionIndex]] = {}
        names = self._rows("SELECT name FROM library")
        if len(names) != 1 or not isinstance(names[0][0], str):
            raise damaged(path)
        self.name: str = names[0][0]

    @classmethod
    def create(cls, path: Path, name: str | None = None) -> Self:
        """Make an empty library, open for writing. `name` (the file's, unless given) stands in every provenance."""
        create_file(path, name or path.stem)
        return cls.open(path, write=True)

    @classmethod
    def open(cls, path: Path, *, write: bool = False) -> Self:
        """Open a library to search it, or also to `write`."""
        return cls(path, connect(path, write=write))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """Number of clips."""
        return self._rows("SELECT count(*) FROM clips")[0][0]

    def close(self) -> None:
        self._connection.close()

    def seal(self) -> None:
        """Make the file as small as it gets, and readable without a single write beside it: for shipping."""
        with sqlite_errors(self.path):
            self._connection.execute("PRAGMA journal_mode = DELETE")
            self._connection.execute("VACUUM")

    def add(self, clip: Clip) -> int:
        """Store a clip and return its id. A motion that is there already keeps its id and gains the new captions."""
        with self._transaction():
            return self._add(clip)

    def add_all(self, clips: Sequence[Clip]) -> None:
        """Store clips as `add` does; all or none."""
        with self._transaction():
            for clip in clips:
                self._add(clip)

    def add_indexed(self, clips: Sequence[Clip], encoder: str, vectors: NDArray[np.float16]) -> None:
        """Store clips of one caption each whose sentence vectors (N, D) of the named encoder are known; all or none."""
        with self._transaction():
            for clip, vector in zip(clips, vectors, strict=True):
                self._add(clip)
                self._rows(
                    "INSERT OR IGNORE INTO sentences SELECT ?, id, ? FROM texts WHERE text = ?",
                    encoder,
                    vector.tobytes(),
                    clip.captions[0],
                )

    def _add(self, clip: Clip) -> int:
        packed = pack(clip)
        digest = packed.digest
        known = self._rows("SELECT id FROM clips WHERE hash = ?", digest)
        number = known[0][0] if known else self._insert(clip, packed, digest)
        for caption in clip.captions:
            self._rows("INSERT OR IGNORE INTO texts (text) VALUES (?)", caption)
            self._rows("INSERT OR IGNORE INTO captions SELECT ?, id FROM texts WHERE text = ?", number, caption)
        return number

    def _insert(self, clip: Clip, packed: PackedMotion, digest: str) -> int:
        number = self._rows(
            "INSERT INTO clips (frames, hash, source, licence, tags) VALUES (?, ?, ?, ?, ?) RETURNING id",
            packed.frames,
            digest,
            clip.source,
            clip.licence,
            json.dumps(clip.tags),
        )[0][0]
        self._rows("INSERT INTO motions VALUES (?, ?, ?, ?)", number, packed.root, packed.joints, packed.contacts)
        if (own := packed.features) is not None:
            facts = (own.layout, own.frames, own.fps, own.encoder, own.token_count)
            self._rows("INSERT INTO features VALUES (?, ?, ?, ?, ?, ?)", number, *facts)
            self._rows("INSERT INTO feature_rows VALUES (?, ?, ?)", number, own.rows, own.tokens)
        return number

    def remove(self, number: int) -> None:
        """Delete a clip, and the texts that no other clip has."""
        if not self._rows("SELECT id FROM clips WHERE id = ?", number):
            raise self._missing(number)
        with self._transaction():
            for table in ("captions", "motions", "features", "feature_rows"):
                self._rows(f"DELETE FROM {table} WHERE clip = ?", number)  # noqa: S608  # names of ours
            self._rows("DELETE FROM clips WHERE id = ?", number)
            unused = "NOT IN (SELECT text FROM captions)"
            self._rows(f"DELETE FROM sentences WHERE text {unused}")  # noqa: S608  # text of ours
            self._rows(f"DELETE FROM texts WHERE id {unused}")  # noqa: S608  # text of ours

    def copy_to(self, target: sqlite3.Connection, name: str) -> None:
        """Fill an empty database with this library under another name, as small as it gets."""
        self._connection.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
        target.execute("UPDATE library SET name = ?", (name,))
        target.execute("VACUUM")

    def clips(self) -> list[int]:
        """Ids of all clips, ascending."""
        return [number for (number,) in self._rows("SELECT id FROM clips ORDER BY id")]

    def sources(self) -> set[str]:
        """Where the clips come from."""
        return {str(source) for (source,) in self._rows("SELECT DISTINCT source FROM clips")}

    def layouts(self) -> set[str | None]:
        """The layouts of which the clips hold features; None stands for clips without any."""
        return {layout for (layout,) in self._rows("SELECT DISTINCT layout FROM clips LEFT JOIN features ON id = clip")}

    def clip(self, number: int) -> Clip:
        """Read one clip, checked against its hash."""
        rows = self._rows(
            "SELECT frames, root, joints, contacts, hash, source, licence, tags FROM clips JOIN motions ON id = clip "
            "WHERE id = ?",
            number,
        )
        if not rows:
            raise self._missing(number)
        frames, root, joints, contacts, digest, source, licence, tags = rows[0]
        try:
            packed = PackedMotion(frames, root, joints, contacts, self._features(number), str(source))
            if not packed.fits or packed.digest != digest:
                raise damaged(self.path)
            positions, levels = unpack(packed)
            features = None if packed.features is None else unpack_features(packed.features)
            words = tuple(json.loads(tags))
            return Clip(self.captions(number), positions, levels, str(source), str(licence), words, features)
        except (TypeError, ValueError) as error:
            raise damaged(self.path) from error

    def _features(self, number: int) -> PackedFeatures | None:
        rows = self._rows(
            "SELECT layout, frames, fps, encoder, token_count, rows, tokens FROM features JOIN feature_rows "
            "USING (clip) WHERE clip = ?",
            number,
        )
        return PackedFeatures(*rows[0]) if rows else None

    def _missing(self, number: int) -> BackendError:
        return BackendError(
            "clip_missing", f"The library {self.name} has no clip {number}.", "See its clips with: library list."
        )

    def captions(self, number: int) -> tuple[str, ...]:
        """The captions of one clip, oldest first."""
        rows = self._rows(
            "SELECT texts.text FROM captions JOIN texts ON captions.text = texts.id WHERE clip = ? ORDER BY texts.id "
            "LIMIT ?",
            number,
            MAX_CAPTIONS,
        )
        return tuple(str(text) for (text,) in rows)

    def index(self, encoder: TextEncoder, progress: Callable[[int, int], None] | None = None) -> None:
        """Compute the sentence vectors that are still missing. Call it after adding; `progress(done, total)`.

        Another process may do the same at the same time.
        """
        missing = "FROM texts WHERE id NOT IN (SELECT text FROM sentences WHERE encoder = ?)"
        total = self._rows(f"SELECT count(*) {missing}", encoder.name)[0][0]
        done = last = 0
        while batch := self._rows(
            f"SELECT id, text {missing} AND id > ? ORDER BY id LIMIT ?",
            encoder.name,
            last,
            INDEX_BATCH,
        ):
            vectors = encoder.encode([text for _, text in batch]).sentence.half().numpy()
            with self._transaction():
                for (number, text), vector in zip(batch, vectors, strict=True):
                    # Where the text is gone or another one by now, or has its vector already, nothing is to be done.
                    self._rows(
                        "INSERT OR IGNORE INTO sentences SELECT ?, id, ? FROM texts WHERE id = ? AND text = ?",
                        encoder.name,
                        vector.tobytes(),
                        number,
                        text,
                    )
            last, done = batch[-1][0], done + len(batch)
            if progress:
                progress(min(done, total), total)

    def search(
        self,
        query: Tensor,
        encoder: str,
        length: float,
        wanted: int,
        pinned: Sequence[int] = (),
        banned: Collection[int] = (),
    ) -> list[Match]:
        """The best clips for a sentence vector (D,) of the named encoder and a length in frames at 20 fps, best first.

        `pinned` clips come first whatever they score, `banned` ones never come. Fewer matches where there are fewer.
        """
        index = self._index(encoder, len(query))
        return [
            Match(int(index.clips[row]), self._text(int(index.text_ids[index.texts[row]])), score)
            for row, score in index.search(query, length, wanted, pinned, banned)
        ]

    def _text(self, number: int) -> str:
        rows = self._rows("SELECT text FROM texts WHERE id = ?", number)
        if not rows:
            raise damaged(self.path)
        return str(rows[0][0])

    def _index(self, encoder: str, width: int) -> CaptionIndex:
        """The index of the file as it is now: this or another process may have added clips since it was last read."""
        version = (self._rows("PRAGMA data_version")[0][0], self._connection.total_changes)
        if encoder not in self._indexes or self._indexes[encoder][0] != version:
            self._indexes[encoder] = (version, self._read_index(encoder, width))
        return self._indexes[encoder][1]

    def _read_index(self, encoder: str, width: int) -> CaptionIndex:
        vectors = "SELECT text, vector FROM sentences WHERE encoder = ? ORDER BY text"
        # A clip is as long as its features, whose own frames are not rounded to ours.
        captions = (
            f"SELECT captions.clip, text, coalesce(features.frames * {FPS} / fps, clips.frames) FROM captions "  # noqa: S608  # a number of ours
            "JOIN clips ON captions.clip = clips.id LEFT JOIN features ON captions.clip = features.clip "
            "ORDER BY captions.clip"
        )
        try:
            with sqlite_errors(self.path), self._snapshot():
                execute = self._connection.execute
                texts = execute("SELECT count(*) FROM texts").fetchone()[0]
                if texts > MAX_TEXTS:
                    raise BackendError(
                        "library_too_large",
                        f"The library {self.name} has over a million texts.",
                        "Split it into several.",
                    )
                return CaptionIndex.build(texts, execute(vectors, (encoder,)), execute(captions), width)
        except LookupError as error:
            raise BackendError(
                "library_not_indexed",
                f'The library {self.name} lacks text features of the encoder "{encoder}".',
                f"Run: python -m backend library index {self.path}",
            ) from error
        except (TypeError, ValueError, OverflowError) as error:
            raise damaged(self.path) from error

    def _rows(self, query: str, *values: object) -> list[tuple]:
        with sqlite_errors(self.path):
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Several questions about the same state of the file."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with sqlite_errors(self.path), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
