# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from backend.errors import BackendError
from backend.motion.bvh import parse_bvh

ARM = """HIERARCHY
ROOT hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT arm
  {
    OFFSET 1 0 0
    CHANNELS 3 Zrotation Yrotation Xrotation
    End Site
    {
      OFFSET 2 0 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.05
0 10 0 0 0 0 0 0 0
0 10 0 0 0 0 90 0 0
"""


def test_joints_move_with_their_parents() -> None:
    bvh = parse_bvh(ARM)
    positions, _ = bvh.pose(["hips", "arm", "arm.end"])
    assert bvh.fps == pytest.approx(20)
    assert np.allclose(positions[0], [[0, 10, 0], [1, 10, 0], [3, 10, 0]])
    assert np.allclose(positions[1], [[0, 10, 0], [1, 10, 0], [1, 12, 0]])


def test_rotations_apply_in_channel_order() -> None:
    bvh = parse_bvh(ARM.replace("0 10 0 0 0 0 90 0 0", "0 0 0 90 90 0 0 0 0"))
    positions, rotations = bvh.pose(["arm"])
    # Z first, then Y about the turned axis: +X goes to -Z under the inner Y turn, which Z leaves alone.
    assert np.allclose(positions[1, 0], [0, 0, -1])
    assert np.allclose(rotations[1, 0] @ rotations[1, 0].T, np.eye(3))


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "not a motion",
        ARM[:200],
        ARM.replace("Frames: 2", "Frames: 3"),
        ARM.replace("0.05", "0"),
        ARM.replace("90", "nan"),
        ARM.replace("CHANNELS 3", "CHANNELS x"),
    ],
)
def test_broken_files_are_refused_with_a_remedy(broken: str) -> None:
    with pytest.raises(BackendError) as error:
        parse_bvh(broken)
    assert error.value.code == "bad_motion"
    assert error.value.remedy


def test_missing_joints_are_named() -> None:
    with pytest.raises(BackendError, match="tail"):
        parse_bvh(ARM).pose(["hips", "tail"])
