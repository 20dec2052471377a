# SPDX-License-Identifier: GPL-3.0-or-later
# Blender's stubs know object data by its base classes only.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""Inside Blender: a take on Rigify's control rig, solved and keyed, against `keyframe_insert`.

python -m tools.bench_rig TAKE.npz RESULT.json
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import bpy
import numpy as np

from remodiffuse_blender import timeline
from remodiffuse_blender.rig.armature import read_rest_pose
from remodiffuse_blender.rig.detect import map_bones
from remodiffuse_blender.rig.solve import solve

from .demo import rigs
from .inside_blender import run
from .rig_report.inside import read_motion

if TYPE_CHECKING:
    from remodiffuse_blender.rig.channels import Channels

RUNS: Final = 10
SLOW_FRAMES: Final = 3
"""So many frames are keyed the slow way; the others would take as long."""


def main() -> None:
    take, result = map(Path, sys.argv[1:])
    motion = read_motion(take)
    rig = rigs.build("rigify")
    bone_map = map_bones(read_rest_pose(rig))
    seconds = []
    channels = None
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        channels = solve(read_rest_pose(rig), bone_map, motion)
        timeline.write_action(rig, channels, "take", 1.0)
        seconds.append(time.perf_counter() - start)
    assert channels  # noqa: S101  there were runs
    quick = float(np.median(seconds[1:]))
    by_frame, by_bone = (_inserted(rig, channels, each) * motion.frames for each in (False, True))
    row = {
        "bones": len(rig.data.bones),
        "frames": motion.frames,
        "solve_and_keys_ms": 1e3 * quick,
        "keyframe_insert_with_an_update_a_frame_ms": 1e3 * by_frame,
        "times_as_fast": by_frame / quick,
        "keyframe_insert_with_an_update_a_bone_ms": 1e3 * by_bone,
        "times_as_fast_as_that": by_bone / quick,
    }
    result.write_text(json.dumps(row), encoding="utf-8")


def _inserted(rig: bpy.types.Object, channels: Channels, each_bone: bool) -> float:
    """Seconds a frame of setting every channel, keying it, and letting Blender update: after each bone (as scripts do
    that set `pose_bone.matrix`, which needs its parents up to date), or once a frame.
    """
    rig.animation_data.action = bpy.data.actions.new("slow")
    poses: Any = rig.pose.bones
    start = time.perf_counter()
    for frame in range(SLOW_FRAMES):
        for channel in channels.channels:
            if not channel.bone or channel.path.startswith("["):
                continue
            setattr(poses[channel.bone], channel.path, channel.values[min(frame, len(channel.values) - 1)].tolist())
            if each_bone:
                bpy.context.view_layer.update()
            poses[channel.bone].keyframe_insert(channel.path, frame=1 + frame)
        bpy.context.view_layer.update()
    return (time.perf_counter() - start) / SLOW_FRAMES


if __name__ == "__main__":
    run(main)
