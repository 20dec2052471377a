# SPDX-License-Identifier: GPL-3.0-or-later
"""Real motion for tests: CMU clips of the shared data as joint positions, on the skeleton they were captured with."""

from __future__ import annotations

import functools
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from backend.motion.bvh import parse_bvh

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "mocap" / "cmu" / "cmu_bvh.tar.xz"

needs_mocap = pytest.mark.skipif(not ARCHIVE.exists(), reason="the shared motion data is not beside the repository")

WALK, TURNS, JUMP, RUN, DANCE, SIT = "07_02", "16_31", "13_11", "35_28", "05_02", "13_01"

_CMU_JOINTS = (
    *("Hips", "LeftUpLeg", "RightUpLeg", "Spine", "LeftLeg", "RightLeg", "Spine1", "LeftFoot", "RightFoot"),
    *("Neck", "LeftToeBase", "RightToeBase", "Neck1", "LeftShoulder", "RightShoulder", "Head"),
    *("LeftArm", "RightArm", "LeftForeArm", "RightForeArm", "LeftHand", "RightHand"),
)


@functools.cache
def _texts() -> dict[str, str]:
    wanted = {f"bvh/{clip}.bvh" for clip in (WALK, TURNS, JUMP, RUN, DANCE, SIT)}
    texts = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            if member.name.removeprefix("./") in wanted and (file := archive.extractfile(member)):
                texts[Path(member.name).stem] = file.read().decode()
    return texts


@functools.cache
def real_positions(clip: str) -> NDArray[Any]:
    """(T, 22, 3) metres, Y up, 20 fps, at most ten seconds; feet on the floor."""
    bvh = parse_bvh(_texts()[clip])
    positions, _ = bvh.pose(_CMU_JOINTS)
    # Shoulder bones start at the neck there; a little further down the chest they make a line across the body.
    positions = positions[:: round(bvh.fps / 20)][:200] * 0.01
    for collar, shoulder in ((13, 16), (14, 17)):
        positions[:, collar] += 0.25 * (positions[:, shoulder] - positions[:, collar])
    positions[..., 1] += 0.02 - np.percentile(positions[:, [10, 11], 1].min(axis=1), 5)
    positions.flags.writeable = False
    return positions
