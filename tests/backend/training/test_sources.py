# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import shutil
import tarfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from acclaim import as_acclaim
from folders import bvh_folder, cmu_bvh, cmu_folder, humanml3d_folder, joints_of, walk

from backend.errors import BackendError
from backend.motion.asf import parse_amc, parse_asf
from backend.motion.bvh import parse_bvh
from backend.motion.contacts import detect_contacts
from backend.motion.skeleton import BONE_LENGTHS, FPS, PARENTS
from backend.training.data.canonical import canonical_positions
from backend.training.data.cuts import SHORTEST, calm_pieces
from backend.training.data.prepare import LAYOUT, prepare
from backend.training.data.sources import read_sources, source_files
from backend.training.data.tables import read_entries
from backend.training.data.windows import cut_windows

if TYPE_CHECKING:
    from collections.abc import Callable

CMU = Path(__file__).parents[4] / "shared" / "data" / "mocap" / "cmu"
FOLDERS = {
    "bvh": bvh_folder,
    "cmu": lambda folder: cmu_folder(folder, frames=400),
    "joints": humanml3d_folder,
    "features": lambda folder: humanml3d_folder(folder, features=True),
}


@pytest.mark.parametrize("form", FOLDERS)
def test_features_give_the_positions_back_within_a_millimetre(form: str, tmp_path: Path) -> None:
    clips = list(read_sources(FOLDERS[form](tmp_path / form)))
    windows = cut_windows(clips)
    assert len(clips) >= 3
    assert windows
    for positions in [clip.positions for clip in clips] + [window.positions for window in windows]:
        rows = LAYOUT.encode(positions, detect_contacts(positions, FPS)).astype(np.float32)
        decoded, _ = LAYOUT.decode(rows.astype(np.float64))
        assert np.linalg.norm(decoded - positions, axis=-1).max() < 1e-3
        lengths = np.linalg.norm(positions[:, 1:] - positions[:, list(PARENTS[1:])], axis=-1)
        assert np.abs(lengths - BONE_LENGTHS[1:]).max() < 1e-3


def test_a_motion_of_our_own_comes_back_as_it_was(tmp_path: Path) -> None:
    clips = list(read_sources(bvh_folder(tmp_path / "bvh")))
    assert [clip.name for clip in clips] == ["walk0", "walk1", "walk2"]
    assert clips[0].captions == ("a man waves with the left hand", "a person walks, number 0")
    assert {clip.licence for clip in clips} == {"CC0-1.0"}
    for clip, speed in zip(clips, (1.2, 0.0, 2.0), strict=True):
        assert np.abs(clip.positions - walk(60, speed)).max() < 1e-3


def test_acclaim_files_mean_what_the_same_motion_means_as_bvh(tmp_path: Path) -> None:
    clips = {clip.name: clip for clip in read_sources(cmu_folder(tmp_path / "cmu"))}
    assert list(clips) == ["01_01", "02_02", "02_03"]
    assert clips["01_01"].label == "walk"
    assert clips["02_03"].label == "juggling, number 3"
    bvh = cmu_bvh(60, 1.2)
    expected = canonical_positions(bvh)
    # AMC files do not say how fast they are: 120 frames a second are taken, six times what was written.
    assert len(clips["01_01"].positions) == 10
    asf, amc = as_acclaim(bvh, np.random.default_rng(0), joints_of("cmu31", "cmu_asf"))
    own = canonical_positions(parse_amc(amc, parse_asf(asf), 20.0))
    np.testing.assert_allclose(own, expected, atol=1e-5)


@pytest.mark.skipif(not CMU.exists(), reason="the shared motion data is not beside the repository")
def test_a_real_walk_as_acclaim_is_the_walk_of_the_bvh() -> None:
    with tarfile.open(CMU / "cmu_bvh.tar.xz") as archive:
        member = next(member for member in archive if member.name.endswith("bvh/07_02.bvh"))
        file = archive.extractfile(member)
        assert file is not None
        bvh = parse_bvh(file.read().decode())
    asf, amc = as_acclaim(bvh, np.random.default_rng(0), joints_of("cmu31", "cmu_asf"))
    own = canonical_positions(parse_amc(amc, parse_asf(asf), bvh.fps))
    np.testing.assert_allclose(own, canonical_positions(bvh), atol=1e-5)
    entries = {entry.clip: entry for entry in read_entries(CMU) or []}
    assert entries["07_02"].description == "walk"


def test_the_recorded_speed_is_read_from_the_table(tmp_path: Path) -> None:
    folder = cmu_folder(tmp_path / "cmu")
    (folder / "cmu_descriptions_all.csv").write_text("clip,description,capture_fps\n01_01,walk,20\n")
    (clip,) = read_sources(folder)
    np.testing.assert_allclose(clip.positions, canonical_positions(cmu_bvh(60, 1.2)), atol=1e-5)


@pytest.mark.parametrize("features", [False, True])
def test_humanml3d_is_brought_to_our_size_and_cut_as_its_texts_say(tmp_path: Path, features: bool) -> None:
    folder = humanml3d_folder(tmp_path / "set", features=features)
    clips = {clip.name: clip for clip in read_sources(folder)}
    assert list(clips) == ["000000", "000001", "000001@0-1.5", "000002"]
    assert clips["000000"].captions == ("a person walks, number 0.", "someone moves to the left")
    assert clips["000001@0-1.5"].captions == ("a person starts to walk",)
    assert len(clips["000001@0-1.5"].positions) == 30
    # The figure was made smaller by a fifth; our legs are given back, and the way walked with them.
    assert np.abs(clips["000002"].positions - walk(60, 2.0)).max() < 2e-3
    assert len(list(source_files(folder, mirrored=True))) == 6


def test_captions_reach_the_training_set_and_are_mirrored(tmp_path: Path) -> None:
    data = prepare([bvh_folder(tmp_path / "bvh")], tmp_path / "set.npz")
    assert data.licences == ["CC0-1.0"]
    of_walk = [words for source, words in zip(data.sources, data.captions, strict=True) if source == "walk0"]
    assert [set(words) for words in of_walk] == [
        {f"a man waves with the {side} hand", "a person walks, number 0"} for side in ("left", "right")
    ]
    assert {"captioned_forward", "captioned_still"} <= set(data.groups)


def test_clips_without_words_are_left_out(tmp_path: Path) -> None:
    windows = cut_windows(read_sources(cmu_folder(tmp_path / "cmu", frames=400)))
    assert {window.source for window in windows} == {"01_01"}


def test_long_clips_are_cut_where_they_are_calm() -> None:
    positions = walk(500, 1.2)
    positions[150:170] = positions[150]  # a moment of rest
    pieces = calm_pieces(positions)
    assert pieces[0][0] == 0
    assert pieces[-1][1] == 500
    assert 150 <= pieces[0][1] < 170
    assert all(a[1] == b[0] for a, b in pairwise(pieces))
    assert all(SHORTEST <= end - start <= 196 for start, end in pieces)


@pytest.mark.parametrize(
    "damage",
    {
        "no table": lambda folder: (folder / "captions.csv").unlink(),
        "no motion": lambda folder: (folder / "walk1.bvh").unlink(),
        "no words": lambda folder: (folder / "captions.csv").write_text("file,licence\nwalk0.bvh,x\n"),
        "no bvh": lambda folder: (folder / "walk1.bvh").write_text("nothing"),
    }.items(),
    ids=lambda item: item[0],
)
def test_what_is_wrong_with_a_folder_is_said(damage: tuple[str, Callable[[Path], object]], tmp_path: Path) -> None:
    folder = bvh_folder(tmp_path / "bvh")
    damage[1](folder)
    with pytest.raises(BackendError) as caught:
        list(read_sources(folder))
    assert caught.value.remedy


@pytest.mark.parametrize("values", ["short", "objects", "nan", "missing", "no skeleton"])
def test_damaged_motions_of_the_sets_are_said(values: str, tmp_path: Path) -> None:
    if values == "no skeleton":
        folder = cmu_folder(tmp_path / "cmu")
        (folder / "subjects" / "01" / "01.asf").unlink()
    else:
        folder = humanml3d_folder(tmp_path / "set")
        path = folder / "new_joints" / "000001.npy"
        if values == "missing":
            path.unlink()
        else:
            arrays = {
                "short": np.zeros((40, 21, 3)),
                "objects": np.array([{}], dtype=object),
                "nan": np.full((40, 22, 3), np.nan),
            }
            np.save(path, arrays[values])
    with pytest.raises(BackendError) as caught:
        list(read_sources(folder))
    assert caught.value.remedy
    shutil.rmtree(folder)
