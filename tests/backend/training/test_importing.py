# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import numpy as np
import pytest
from folders import bvh_folder, cmu_folder, humanml3d_folder, walk

from backend.commands.library import main
from backend.errors import BackendError
from backend.library import Library
from backend.training.data.importing import import_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOLDERS = {"bvh": bvh_folder, "cmu": lambda folder: cmu_folder(folder, frames=400), "humanml3d": humanml3d_folder}


def contents(path: Path) -> list[tuple[str, tuple[str, ...], str, int]]:
    with Library.open(path) as library:
        clips = [library.clip(number) for number in library.clips()]
    return sorted((clip.source, clip.captions, clip.licence, clip.frames) for clip in clips)


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_becomes_a_library_that_prompts_find(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = FOLDERS[kind](tmp_path / kind), tmp_path / "own.sqlite"
    assert main(["import", kind, str(folder), "--output", str(output)]) == 0
    before = contents(output)
    assert before
    # Once more adds nothing.
    assert main(["import", kind, str(folder), "--output", str(output)]) == 0
    assert contents(output) == before
    capsys.readouterr()
    assert main(["search", "a person walks", str(output), "--seconds", "3"]) == 0
    assert "walk" in capsys.readouterr().out


def test_what_cmu_says_becomes_sentences(tmp_path: Path) -> None:
    with Library.create(tmp_path / "cmu.sqlite") as library:
        done = import_folder(cmu_folder(tmp_path / "cmu", frames=400), library, "CMU")
    assert (done.files, done.clips, done.refused) == (3, 3, [])
    by_source = {source: (captions, licence) for source, captions, licence, _ in contents(tmp_path / "cmu.sqlite")}
    assert list(by_source) == [f"CMU {name} [0: 0.0 s to 3.4 s]" for name in ("01_01", "02_02", "02_03")]
    captions, licence = by_source["CMU 01_01 [0: 0.0 s to 3.4 s]"]
    assert licence == "CMU mocap: free for any use"
    assert "walk" in captions
    assert all(caption.startswith("a person ") for caption in captions if caption != "walk")
    assert len(captions) > 2
    assert by_source["CMU 02_03 [0: 0.0 s to 3.4 s]"][0] == ("juggling, number 3",)


def test_humanml3d_keeps_captions_spans_and_mirrored_copies(tmp_path: Path) -> None:
    folder = humanml3d_folder(tmp_path / "set")
    with Library.create(tmp_path / "h.sqlite") as library:
        import_folder(folder, library, "HumanML3D")
    found = {source: (captions, frames) for source, captions, _, frames in contents(tmp_path / "h.sqlite")}
    # The mirrored copies of this made-up set are the same motions, so they are stored once.
    captions, frames = found["HumanML3D 000001 [0: 0.0 s to 3.0 s]"]
    assert (set(captions), frames) == ({"a person walks, number 1.", "someone moves to the left"}, 60)
    assert found["HumanML3D 000001 [@0-1.5 1: 0.0 s to 1.5 s]"] == (("a person starts to walk",), 30)
    with Library.open(tmp_path / "h.sqlite") as library:
        clip = library.clip(library.clips()[0])
    assert np.abs(clip.positions - walk(60, 1.2)).max() < 3e-3


def test_long_files_become_clips_that_fit(tmp_path: Path) -> None:
    with Library.create(tmp_path / "long.sqlite") as library:
        import_folder(bvh_folder(tmp_path / "bvh", frames=500), library, "BVH")
    frames = [frames for source, _, _, frames in contents(tmp_path / "long.sqlite") if "walk1" in source]
    assert sum(frames) == 500
    assert max(frames) <= 196


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_stopped_import_goes_on_to_the_same_library(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = FOLDERS[kind](tmp_path / kind)
    with Library.create(tmp_path / "whole.sqlite") as library:
        import_folder(folder, library, "X")

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with Library.create(tmp_path / "stopped.sqlite") as library, pytest.raises(KeyboardInterrupt):
        import_folder(folder, library, "X", progress=stop)
    assert 0 < len(contents(tmp_path / "stopped.sqlite")) < len(contents(tmp_path / "whole.sqlite"))
    with Library.open(tmp_path / "stopped.sqlite", write=True) as library:
        done = import_folder(folder, library, "X")
    assert done.known == 2
    assert contents(tmp_path / "stopped.sqlite") == contents(tmp_path / "whole.sqlite")


def test_a_file_comes_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = bvh_folder(tmp_path / "bvh", frames=500)
    with Library.create(tmp_path / "a.sqlite") as library:
        # What a killed process leaves: the third clip of the first file cannot be written.
        library._connection.execute(
            "CREATE TEMP TRIGGER full BEFORE INSERT ON clips WHEN (SELECT count(*) FROM clips) = 2 "
            "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
        with pytest.raises((BackendError, sqlite3.Error)):
            import_folder(folder, library, "X")
        assert len(library) == 0


def test_broken_files_are_named_and_the_rest_is_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = bvh_folder(tmp_path / "bvh")
    (folder / "walk1.bvh").write_text("nothing")
    assert main(["import", "bvh", str(folder), "--output", str(tmp_path / "a.sqlite")]) == 0
    told = capsys.readouterr()
    assert "walk1" in told.err
    assert len(contents(tmp_path / "a.sqlite")) == 2


@pytest.mark.parametrize("damage", ["no folder", "other form", "all broken"])
def test_a_folder_without_motion_is_refused(damage: str, tmp_path: Path) -> None:
    folder: Path = tmp_path / "bvh"
    change: dict[str, Callable[[], object]] = {
        "no folder": lambda: None,
        "other form": lambda: humanml3d_folder(folder),
        "all broken": lambda: [path.write_text("x") for path in bvh_folder(folder).glob("*.bvh")],
    }
    change[damage]()
    with pytest.raises(BackendError) as caught:
        main(["import", "bvh", str(folder), "--output", str(tmp_path / "a.sqlite")])
    assert caught.value.remedy
