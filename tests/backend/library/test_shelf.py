# SPDX-License-Identifier: GPL-3.0-or-later
"""The animator's own libraries: clips come, serve retrieval at once, and go; files are shared and taken in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from gaits import CAPTIONS, gait, gait_clip

from backend.errors import BackendError
from backend.library import Clip, Library, Shelf, search
from backend.library.schema import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from backend.text import TextEncoder

CAPTION = "a person waves at the moon"


def wave() -> Clip:
    positions, contacts = gait(60, 0.1, 0.3)
    return Clip((CAPTION,), positions, contacts, "own work", "CC0-1.0")


@pytest.fixture
def shelf(tmp_path: Path, encoder: TextEncoder) -> Shelf:
    return Shelf(tmp_path / "libraries", encoder, ["starter"])


def found(shelf: Shelf, encoder: TextEncoder, text: str = CAPTION) -> list[tuple[str, int, str]]:
    query = encoder.encode([text]).sentence[0]
    best = search(shelf.libraries, query, encoder.name, 60, 3)
    return [(each.reference.library, each.reference.clip, each.reference.caption) for each in best]


def test_a_clip_is_found_at_once_and_after_a_restart(shelf: Shelf, encoder: TextEncoder) -> None:
    assert shelf.libraries == []
    number = shelf.add(wave())
    assert found(shelf, encoder) == [("own", number, CAPTION)]
    again = Shelf(shelf.folder, encoder)
    assert found(again, encoder) == [("own", number, CAPTION)]
    assert [(each.name, each.clips, each.own) for each in again.listed()] == [("own", 1, True)]


def test_a_removed_clip_is_gone_with_its_words(shelf: Shelf, encoder: TextEncoder) -> None:
    first, second = shelf.add(wave()), shelf.add(gait_clip("a person walks forward"))
    shelf.remove("own", first)
    assert found(shelf, encoder) == [("own", second, "a person walks forward")]
    library = shelf.libraries[0]
    with pytest.raises(BackendError, match=f"no clip {first}"):
        library.clip(first)
    with pytest.raises(BackendError, match=f"no clip {first}"):
        shelf.remove("own", first)
    query = encoder.encode([CAPTION]).sentence[0]
    assert library.search(query, encoder.name, 60, 1)[0].score < 0.9


def test_a_library_is_saved_and_taken_in_elsewhere(shelf: Shelf, encoder: TextEncoder, tmp_path: Path) -> None:
    number = shelf.add(wave())
    file = tmp_path / "moon.sqlite"
    shelf.save("own", file)
    other = Shelf(tmp_path / "elsewhere", encoder)
    assert other.load(file) == "moon"
    assert found(other, encoder) == [("moon", number, CAPTION)]
    np.testing.assert_array_equal(other.libraries[0].clip(number).positions, shelf.libraries[0].clip(number).positions)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["elsewhere", "libraries", "moon.sqlite"]
    other.unload("moon")
    assert other.libraries == []
    assert list(other.folder.iterdir()) == []
    assert file.exists()
    # A library may be replaced by a newer one, nothing else may.
    shelf.save("own", file)
    (tmp_path / "letter.sqlite").write_text("Dear Ada")
    with pytest.raises(BackendError, match="not a motion library"):
        shelf.save("own", tmp_path / "letter.sqlite")
    assert (tmp_path / "letter.sqlite").read_text() == "Dear Ada"


def test_what_cannot_be_taken_in_changes_nothing(
    shelf: Shelf, encoder: TextEncoder, tmp_path: Path, library_file: Path
) -> None:
    shelf.load(library_file)
    with pytest.raises(BackendError, match='library "gaits" already'):
        shelf.load(library_file)
    for name in ("starter", "../up", "a/b"):
        path = tmp_path / "named.sqlite"
        path.unlink(missing_ok=True)
        Library.create(path, name).close()
        with pytest.raises(BackendError, match=r"already|no file name"):
            shelf.load(path)
    (tmp_path / "text.sqlite").write_text("no library")
    with pytest.raises(BackendError, match="not a motion library"):
        shelf.load(tmp_path / "text.sqlite")
    with pytest.raises(BackendError, match="no library"):
        shelf.load(tmp_path / "nowhere.sqlite")
    assert [each.name for each in shelf.listed()] == ["gaits"]
    assert [each.name for each in shelf.folder.glob("*.sqlite*") if "-" not in each.name] == ["gaits.sqlite"]
    assert len(found(shelf, encoder, next(iter(CAPTIONS)))) == 3


def test_a_bad_file_in_the_folder_stops_nothing(shelf: Shelf, encoder: TextEncoder) -> None:
    shelf.add(wave())
    (shelf.folder / "bad.sqlite").write_bytes(b"SQLite format 3\0 and then nothing")
    again = Shelf(shelf.folder, encoder)
    assert found(again, encoder)
    (bad,) = [each for each in again.listed() if each.problem]
    assert bad.name == "bad"
    assert "bad.sqlite" in bad.problem
    again.unload("bad")
    assert [each.name for each in again.listed()] == ["own"]
    assert not (shelf.folder / "bad.sqlite").exists()


def test_only_own_libraries_change(shelf: Shelf) -> None:
    for change in (lambda: shelf.remove("starter", 1), lambda: shelf.unload("starter")):
        with pytest.raises(BackendError, match="not one of your own"):
            change()
    with pytest.raises(BackendError, match="cannot be taken out"):
        shelf.unload("own")


def test_removing_empties_every_table(shelf: Shelf) -> None:
    shelf.remove("own", shelf.add(wave()))
    rows = shelf.libraries[0]._rows
    names = [line.split()[2] for line in TABLES[2]]
    assert {name: rows(f"SELECT count(*) FROM {name}")[0][0] for name in names if name != "library"} == dict.fromkeys(  # noqa: S608
        [name for name in names if name != "library"], 0
    )
