# SPDX-License-Identifier: GPL-3.0-or-later
"""Library files: what goes in comes out, and what is not ours or is damaged is refused with a remedy."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from gaits import CAPTIONS, gait, gait_clip

from backend.errors import BackendError
from backend.library import Clip, Library, search

if TYPE_CHECKING:
    from backend.text import TextEncoder

WALK = "a person walks forward"


def test_a_clip_comes_back_within_half_a_millimetre(tmp_path: Path) -> None:
    positions, contacts = gait(196, 3.0, 0.9)
    positions += np.array([20, 0, -35], np.float32)  # float16 alone would be off by centimetres out there
    clip = Clip((WALK, "he goes ahead"), positions, contacts, "a source", "CC0-1.0", ("walk", "gait"))
    with Library.create(tmp_path / "mine.sqlite") as library:
        number = library.add(clip)
        back = library.clip(number)
    np.testing.assert_allclose(back.positions, positions, atol=5e-4)
    np.testing.assert_allclose(back.contacts, contacts, atol=0.5 / 255 + 1e-6)
    assert (back.captions, back.source, back.licence, back.tags) == (clip.captions, "a source", "CC0-1.0", clip.tags)


def test_the_same_motion_is_kept_once_and_gains_captions(tmp_path: Path) -> None:
    clip = gait_clip(WALK)
    with Library.create(tmp_path / "mine.sqlite") as library:
        first = library.add(clip)
        again = library.add(Clip(("a man strolls",), clip.positions, clip.contacts, "other", "CC0-1.0"))
        assert (first, len(library), library.captions(first)) == (again, 1, (WALK, "a man strolls"))


def test_search_finds_by_words_then_by_length(library_file: Path, encoder: TextEncoder) -> None:
    positions, contacts = gait(180, 1.2, 0.5)
    with Library.open(library_file, write=True) as library:
        longer = library.add(Clip((WALK,), positions, contacts, "made by formula", "CC0-1.0"))
        query = encoder.encode([WALK]).sentence[0]
        short, long = (library.search(query, encoder.name, frames, 2) for frames in (60, 180))
    assert [match.clip for match in short] == [1, longer]
    assert [match.clip for match in long] == [longer, 1]
    assert short[0].caption == WALK
    assert short[0].score == pytest.approx(1.0, abs=1e-3)
    assert short[1].score == pytest.approx(np.exp(-0.1 * 120 / 180), abs=1e-3)


def test_clips_added_by_another_process_are_found(library_file: Path, encoder: TextEncoder) -> None:
    query = encoder.encode(["someone waves both arms"]).sentence[0]
    with Library.open(library_file) as reader, Library.open(library_file, write=True) as writer:
        assert reader.search(query, encoder.name, 80, 1)[0].score < 0.9
        positions, contacts = gait(80, 0.1, 0.2)
        added = writer.add(Clip(("someone waves both arms",), positions, contacts, "s", "CC0-1.0"))
        writer.index(encoder)
        assert reader.search(query, encoder.name, 80, 1)[0].clip == added


def test_several_libraries_are_searched_as_one(library_file: Path, tmp_path: Path, encoder: TextEncoder) -> None:
    query = encoder.encode([WALK]).sentence[0]
    with Library.create(tmp_path / "other.sqlite") as other, Library.open(library_file) as gaits:
        other.add(gait_clip(WALK, 120))
        other.index(encoder)
        found = search([gaits, other], query, encoder.name, 120, 3)
        assert [(each.reference.library, each.reference.clip) for each in found[:2]] == [("other", 1), ("gaits", 1)]
        pinned = search([gaits, other], query, encoder.name, 120, 2, pinned=[("gaits", 3)], banned=[("other", 1)])
        assert [(each.reference.library, each.reference.clip) for each in pinned] == [("gaits", 3), ("gaits", 1)]
        with pytest.raises(BackendError, match="Two libraries"):
            search([gaits, gaits], query, encoder.name, 120, 3)
        with pytest.raises(BackendError, match="Unpin"):
            search([gaits, other], query, encoder.name, 120, 3, pinned=[("gaits", 99)])


def test_an_unindexed_library_names_the_command_that_helps(tmp_path: Path, encoder: TextEncoder) -> None:
    with Library.create(tmp_path / "mine.sqlite") as library:
        query = encoder.encode([WALK]).sentence[0]
        assert library.search(query, encoder.name, 80, 2) == []
        library.add(gait_clip(WALK))
        with pytest.raises(BackendError, match="library index"):
            library.search(query, encoder.name, 80, 2)
        library.index(encoder)
        with pytest.raises(BackendError, match="another-encoder"):
            library.search(query, "another-encoder", 80, 2)


def test_a_sealed_library_is_read_without_writing_beside_it(library_file: Path, encoder: TextEncoder) -> None:
    with Library.open(library_file, write=True) as library:
        library.seal()
    before = library_file.read_bytes()
    with Library.open(library_file) as library:
        library.search(encoder.encode([WALK]).sentence[0], encoder.name, 80, 2)
        assert [path.name for path in library_file.parent.iterdir()] == [library_file.name]
    assert library_file.read_bytes() == before


def test_reading_cannot_write(library_file: Path) -> None:
    with Library.open(library_file) as library, pytest.raises(BackendError) as caught:
        library.add(gait_clip(WALK, 99))
    assert caught.value.code == "library_inaccessible"


@pytest.mark.parametrize(
    "change",
    [
        {"positions": np.zeros((15, 22, 3), np.float32), "contacts": np.zeros((15, 4), np.float32)},
        {"positions": np.zeros((197, 22, 3), np.float32), "contacts": np.zeros((197, 4), np.float32)},
        {"positions": np.full((20, 22, 3), np.nan, np.float32), "contacts": np.zeros((20, 4), np.float32)},
        {"positions": np.zeros((20, 21, 3), np.float32), "contacts": np.zeros((20, 4), np.float32)},
        {"positions": np.zeros((20, 22, 3), np.float32), "contacts": np.full((20, 4), 2, np.float32)},
        {"captions": ()},
        {"captions": (" ",)},
        {"captions": ("x" * 1001,)},
        {"licence": ""},
    ],
)
def test_impossible_clips_are_refused(change: dict) -> None:
    clip = gait_clip(WALK)
    parts = {name: getattr(clip, name) for name in ("captions", "positions", "contacts", "source", "licence")}
    with pytest.raises(BackendError) as caught:
        Clip(**(parts | change))
    assert caught.value.code == "bad_clip"


def read_everything(path: Path, encoder: TextEncoder) -> None:
    with Library.open(path) as library:
        library.search(encoder.encode([WALK]).sentence[0], encoder.name, 80, 2)
        for number in library.clips():
            library.clip(number)


@pytest.mark.fault("corrupt or wrong-version library")
def test_foreign_files_are_refused(tmp_path: Path, encoder: TextEncoder) -> None:
    path = tmp_path / "foreign.sqlite"
    for content in (b"", b"not a database at all" * 100, b"SQLite format 3\x00" + bytes(200)):
        path.write_bytes(content)
        with pytest.raises(BackendError):
            read_everything(path, encoder)
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE clips (id INTEGER)")
    connection.close()
    with pytest.raises(BackendError) as caught:
        read_everything(path, encoder)
    assert caught.value.code == "library_foreign"
    with pytest.raises(BackendError) as caught:
        Library.open(tmp_path / "nothing.sqlite")
    assert caught.value.code == "library_missing"


@pytest.mark.fault("corrupt or wrong-version library")
@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("PRAGMA user_version = 3", "library_version"),
        ("PRAGMA application_id = 1", "library_foreign"),
        ("CREATE TRIGGER trap AFTER INSERT ON clips BEGIN DELETE FROM clips; END", "library_foreign"),
        ("DROP TABLE motions", "library_foreign"),
        ("UPDATE clips SET frames = 5000", "library_damaged"),
        ("UPDATE clips SET frames = 'many'", "library_damaged"),
        ("UPDATE motions SET joints = zeroblob(length(joints))", "library_damaged"),
        ("UPDATE motions SET joints = zeroblob(2000000)", "library_damaged"),
        ("UPDATE motions SET root = 7", "library_damaged"),
        ("UPDATE sentences SET vector = zeroblob(10)", "library_damaged"),
        ("UPDATE sentences SET vector = 'text'", "library_damaged"),
        ("UPDATE clips SET tags = '{'", "library_damaged"),
        ("DELETE FROM sentences WHERE text = 2", "library_not_indexed"),
        ("DELETE FROM library", "library_damaged"),
    ],
)
def test_altered_libraries_are_refused(library_file: Path, encoder: TextEncoder, statement: str, code: str) -> None:
    connection = sqlite3.connect(library_file)
    with connection:
        connection.execute(statement)
    connection.close()
    with pytest.raises(BackendError) as caught:
        read_everything(library_file, encoder)
    assert caught.value.code == code


@pytest.mark.fault("corrupt or wrong-version library")
def test_random_damage_never_gets_past_us_as_another_error(library_file: Path, encoder: TextEncoder) -> None:
    with Library.open(library_file, write=True) as library:
        library.seal()
    intact = library_file.read_bytes()
    chance = random.Random(1)
    refused = 0
    for _ in range(60):
        broken = bytearray(intact)
        for _ in range(40):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        library_file.write_bytes(bytes(broken[: chance.choice([len(broken), len(broken) // 2])]))
        try:
            read_everything(library_file, encoder)
        except BackendError:
            refused += 1
    assert refused > 30


def test_a_kill_loses_at_most_the_clip_being_added(tmp_path: Path) -> None:
    path = tmp_path / "mine.sqlite"
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from pathlib import Path; from gaits import gait; from backend.library import Clip, Library\n"
        "library = Library.create(Path(sys.argv[1]))\n"
        "for i in range(1000):\n"
        "    positions, contacts = gait(80, i / 100, 0.5)\n"
        "    library.add(Clip((f'clip {i}',), positions, contacts, 's', 'CC0-1.0'))\n"
        "    print(i, flush=True)\n"
    )
    root = Path(__file__).parents[3]
    paths = [str(root), str(root / "tests" / "backend")]
    with subprocess.Popen([sys.executable, "-c", code, str(path), *paths], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) == 20:
                os.kill(child.pid, signal.SIGKILL)
                break
    with Library.open(path) as library:
        assert len(library) >= 21
        for number in library.clips():
            library.clip(number)
    with Library.open(path, write=True) as library:
        library.add(gait_clip(WALK))


def test_every_caption_is_its_own_best_match(library_file: Path, encoder: TextEncoder) -> None:
    with Library.open(library_file) as library:
        for number, caption in enumerate(CAPTIONS, start=1):
            match = library.search(encoder.encode([caption]).sentence[0], encoder.name, 80, 1)[0]
            assert (match.clip, match.caption) == (number, caption)
