# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from folders import joints_of, walk_bvh

from backend.errors import BackendError
from backend.motion.bvh import parse_bvh
from backend.motion.contacts import ANKLE_HEIGHT
from backend.motion.features import heading
from backend.motion.skeleton import BONE_LENGTHS, INDEX, PARENTS, TOE_HEIGHT
from backend.training.data.canonical import SKELETONS, canonical_positions, source_skeleton

MOCAP = Path(__file__).parents[4] / "shared" / "data" / "mocap"

needs_mocap = pytest.mark.skipif(not MOCAP.exists(), reason="the shared motion data is not beside the repository")


def positions_of(folder: str, archive: str, clip: str) -> np.ndarray:
    with tarfile.open(MOCAP / folder / archive) as tar:
        for member in tar:
            if member.name.endswith(f"bvh/{clip}.bvh"):
                file = tar.extractfile(member)
                assert file is not None
                return canonical_positions(parse_bvh(file.read().decode()))
    raise AssertionError(clip)


@pytest.fixture(
    scope="module",
    params=[
        ("cmu", "cmu_bvh.tar.xz", "02_01"),
        ("cmu", "cmu_bvh.tar.xz", "13_18"),
        ("cc0-mesh2motion", "cc0_bvh.tar.xz", "base_idle_loop"),
        ("cc0-mesh2motion", "cc0_bvh.tar.xz", "addon_bow"),
    ],
    ids=lambda param: param[2],
)
def clip(request: pytest.FixtureRequest) -> np.ndarray:
    """One clip of each of the four source skeletons."""
    return positions_of(*request.param)


@needs_mocap
def test_every_skeleton_gets_the_same_bones(clip: np.ndarray) -> None:
    lengths = np.linalg.norm(clip[:, 1:] - clip[:, list(PARENTS[1:])], axis=-1)
    assert np.abs(lengths - BONE_LENGTHS[1:]).max() < 1e-9


@needs_mocap
def test_it_stands_on_the_floor_facing_forward(clip: np.ndarray) -> None:
    assert np.allclose(clip[0, 0, [0, 2]], 0, atol=1e-9)
    assert heading(clip)[0] == pytest.approx(0, abs=1e-6)
    assert np.percentile(clip[..., 1].min(axis=1), 3) == pytest.approx(TOE_HEIGHT)
    # Upright, with the left hip on the left.
    assert clip[0, INDEX["head"], 1] > 1.2
    assert clip[0, INDEX["left_hip"], 0] > clip[0, INDEX["right_hip"], 0]


@needs_mocap
def test_a_walk_keeps_its_length_in_leg_lengths() -> None:
    walk = positions_of("cmu", "cmu_bvh.tar.xz", "02_01")
    distance = np.linalg.norm((walk[-1] - walk[0])[0, [0, 2]])
    assert 2.5 < distance < 3.8


@pytest.mark.parametrize("skeleton", ["mixamo", "lafan"])
def test_what_is_not_known_of_a_skeleton_is_read_off_the_clip(skeleton: str) -> None:
    bvh = parse_bvh(walk_bvh(80, 0.0))
    theirs = joints_of("canonical", skeleton)
    prefix = "mixamorig:" if skeleton == "mixamo" else ""
    renamed = replace(bvh, names=tuple(prefix + theirs.get(name, name) for name in bvh.names))
    assert source_skeleton(renamed) is SKELETONS[skeleton]
    distance = np.linalg.norm(canonical_positions(renamed) - canonical_positions(bvh), axis=-1)
    assert distance.max() < 0.02


@needs_mocap
def test_a_skeleton_without_figures_walks_upright() -> None:
    with tarfile.open(MOCAP / "bandai-namco" / "bandai_namco_bvh.tar.xz") as tar:
        member = next(each for each in tar if "walk_normal" in each.name)
        file = tar.extractfile(member)
        assert file is not None
        walk = canonical_positions(parse_bvh(file.read().decode()))
    ankles = walk[:, [INDEX["left_ankle"], INDEX["right_ankle"]], 1]
    toes = walk[:, [INDEX["left_foot"], INDEX["right_foot"]], 1]
    assert np.abs(np.percentile(toes, 10) - TOE_HEIGHT) < 0.02
    assert np.abs(np.percentile(ankles, 10) - ANKLE_HEIGHT) < 0.03
    assert (walk[:, INDEX["head"], 1] > 1.3).all()
    assert (walk[:, INDEX["left_wrist"], 1] < walk[:, INDEX["neck"], 1]).all()
    speed = np.linalg.norm(np.diff(walk[:, 0, [0, 2]], axis=0), axis=-1).mean() * 20
    assert 0.4 < speed < 2.0


def test_an_unknown_skeleton_is_named() -> None:
    text = "HIERARCHY\nROOT blob\n{\nOFFSET 0 0 0\nCHANNELS 0\n}\nMOTION\nFrames: 1\nFrame Time: 0.05\n"
    with pytest.raises(BackendError):
        canonical_positions(parse_bvh(text))
