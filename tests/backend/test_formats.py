# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes as .npz and .bvh files."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from backend.errors import BackendError
from backend.motion import quaternions as quat
from backend.motion.bvh import parse_bvh
from backend.motion.clip import Motion
from backend.motion.formats import bvh_text, read_npz, write_takes, zxy_angles
from backend.motion.rotations import forward_kinematics
from backend.motion.skeleton import JOINTS

if TYPE_CHECKING:
    from pathlib import Path


def random_motion(seed: int = 0, frames: int = 30) -> Motion:
    rng = np.random.default_rng(seed)
    rotations = quat.unit(rng.standard_normal((frames, 22, 4))).astype(np.float32)
    root = rng.standard_normal((frames, 3)).astype(np.float32)
    contacts = rng.random((frames, 4)).astype(np.float32)
    return Motion(20.0, forward_kinematics(rotations, root), rotations, root, contacts)


def test_npz_comes_back(tmp_path: Path) -> None:
    motions, provenances = [random_motion(0), random_motion(1)], [{"prompt": "é"}, {"seed": 2}]
    assert write_takes(tmp_path / "t.npz", motions, provenances) == [tmp_path / "t.npz"]
    back, told = read_npz(tmp_path / "t.npz")
    assert told == provenances
    for one, other in zip(back, motions, strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)
        np.testing.assert_array_equal(one.rotations, other.rotations)


def test_bvh_means_the_same_pose_for_any_rotation() -> None:
    motion = random_motion()
    positions, _ = parse_bvh(bvh_text(motion)).pose(JOINTS)
    np.testing.assert_allclose(positions, motion.positions, atol=1e-4)


def test_zxy_angles_at_the_gimbal() -> None:
    for angle in (np.pi / 2, -np.pi / 2):
        turn = quat.multiply(
            quat.about(np.array([0.0, 0.0, 1.0]), np.array(0.4)), quat.about(np.array([1.0, 0, 0]), np.array(angle))
        )
        z, x, y = zxy_angles(turn)
        np.testing.assert_allclose([z, x, y], [0.4, angle, 0.0], atol=1e-4)


def test_a_full_turn_does_not_jump_by_360_degrees() -> None:
    motion = random_motion(frames=60)
    yaw = np.linspace(0, 4 * np.pi, 60)
    rotations = np.zeros((60, 22, 4), np.float32)
    rotations[..., 0] = 1
    rotations[:, 0, 0], rotations[:, 0, 2] = np.cos(yaw / 2), np.sin(yaw / 2)
    motion = Motion(20.0, forward_kinematics(rotations, motion.root), rotations, motion.root, motion.contacts)
    values = parse_bvh(bvh_text(motion)).values
    assert np.abs(np.diff(values[:, 3:], axis=0)).max() < 20


def test_nothing_is_left_behind_where_writing_fails(tmp_path: Path) -> None:
    (tmp_path / "t_2.bvh").mkdir()  # the second of two files cannot be written
    with pytest.raises(BackendError) as caught:
        write_takes(tmp_path / "t.bvh", [random_motion(), random_motion(1)], [{}, {}])
    assert caught.value.code == "cannot_write"
    assert [path.name for path in tmp_path.iterdir()] == ["t_2.bvh"]


@pytest.mark.parametrize("change", ["pickle", "missing", "shape", "nan", "provenance", "bomb", "garbage"])
def test_other_files_are_refused(tmp_path: Path, change: str) -> None:
    path = tmp_path / "t.npz"
    write_takes(path, [random_motion()], [{}])
    arrays = dict(np.load(path))
    match change:
        case "pickle":
            arrays["provenance"] = np.array([{"a": 1}], dtype=object)
        case "missing":
            del arrays["root"]
        case "shape":
            arrays["root"] = arrays["root"][:, :5]
        case "nan":
            arrays["root"][0, 0] = np.nan
        case "provenance":
            arrays["provenance"] = np.array("[1]")
    np.savez(path, **arrays)
    if change == "garbage":
        path.write_bytes(path.read_bytes()[:3000])
    if change == "bomb":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("positions.npy", bytes(200 << 20))
    with pytest.raises(BackendError) as caught:
        read_npz(path)
    assert caught.value.code == "bad_file"
