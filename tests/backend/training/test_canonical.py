# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from backend.errors import BackendError
from backend.motion.bvh import parse_bvh
from backend.motion.features import heading
from backend.motion.skeleton import BONE_LENGTHS, INDEX, PARENTS, TOE_HEIGHT
from backend.training.data.canonical import canonical_positions

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


def test_an_unknown_skeleton_is_named() -> None:
    text = "HIERARCHY\nROOT blob\n{\nOFFSET 0 0 0\nCHANNELS 0\n}\nMOTION\nFrames: 1\nFrame Time: 0.05\n"
    with pytest.raises(BackendError):
        canonical_positions(parse_bvh(text))
