# SPDX-License-Identifier: GPL-3.0-or-later
"""What was put on a rig is read off it again, whatever the rig is built like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from evaluation import poses
from figures import Bone, rest_pose
from numpy.typing import NDArray
from test_solve import SAME, dance, foot_moved, steps, straight_person

from backend.motion import quaternions as quat
from backend.motion.rotations import world_rotations
from backend.motion.skeleton import INDEX, JOINTS
from remodiffuse_blender.rig.capture import capture
from remodiffuse_blender.rig.detect import map_bones
from remodiffuse_blender.rig.options import Options
from remodiffuse_blender.rig.solve import solve

if TYPE_CHECKING:
    from backend.motion.clip import Motion
    from remodiffuse_blender.rig.bone_map import BoneMap

Array = NDArray[Any]


def read_again(bones: dict[str, Bone], bone_map: BoneMap, motion: Motion, lock: float) -> Motion:
    rest = rest_pose(bones)
    heads, turns = poses(rest, solve(rest, bone_map, motion, options=Options(foot_lock=lock)))
    matrices = np.tile(np.eye(4), (motion.frames, len(rest.names), 1, 1))
    for bone, name in enumerate(rest.names):
        matrices[:, bone, :3, :3], matrices[:, bone, :3, 3] = quat.to_matrix(turns[name]), heads[name]
    return capture(rest, bone_map, matrices, motion.fps)


def apart(one: Motion, other: Motion) -> dict[str, float]:
    """Degrees at most between the joints' rotations against the T-pose."""
    turns = (world_rotations(motion.rotations) for motion in (one, other))
    between = quat.multiply(quat.conjugate(next(turns)), next(turns))
    return dict(zip(JOINTS, np.degrees(quat.angle(between).max(axis=0)).tolist(), strict=True))


@pytest.mark.parametrize("size", [1.0, 1.6, 2.5])
def test_the_smaller_roll_of_long_feet_is_undone(size: float) -> None:
    motion = steps()
    bones = straight_person()
    foot_moved(bones, size * (bones["left_foot"].head - bones["left_ankle"].head))
    off = apart(read_again(bones, SAME, motion, lock=0.0), motion)
    assert max(off.values()) < 0.1


def test_the_toes_of_long_feet_that_lie_flat_stay_flat() -> None:
    motion = steps()
    world = world_rotations(motion.rotations)
    for side in ("left", "right"):  # the foot rolls, the toes lie on the floor
        foot, toe = INDEX[f"{side}_ankle"], INDEX[f"{side}_foot"]
        motion.rotations[:, toe] = quat.conjugate(world[:, foot])
    bones = straight_person()
    foot_moved(bones, 2.5 * (bones["left_foot"].head - bones["left_ankle"].head))
    rest = rest_pose(bones)
    turns = poses(rest, solve(rest, SAME, motion))[1]
    for name in ("left_foot", "right_foot"):
        assert np.degrees(quat.angle(turns[name])).max() < 0.1
    assert max(apart(read_again(bones, SAME, motion, lock=0.0), motion).values()) < 0.1


@pytest.mark.parametrize("count", [3, 7])
def test_a_spine_of_any_length_is_laid_beside_ours_and_back(count: int) -> None:
    """Bones that begin elsewhere than our spine joints share their turns, and give them back."""
    bones, motion = straight_person(), dance()
    low, high = bones["spine1"].head, bones["neck"].head
    for joint in ("spine1", "spine2", "spine3"):
        del bones[joint]
    above = "pelvis"
    for number in range(count):
        bones[f"spine_{number:02}"] = Bone(low + (high - low) * number / count, above)
        above = f"spine_{number:02}"
    for joint in ("neck", "left_collar", "right_collar"):
        bones[joint].parent = above
    found = map_bones(rest_pose(bones))
    again = read_again(bones, found, motion, lock=0.0)
    off = apart(again, motion)
    assert off["spine3"] < 2.0
    places = np.linalg.norm(again.positions - motion.positions, axis=-1).mean()
    assert places < 0.01 * 0.79
