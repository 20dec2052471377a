# SPDX-License-Identifier: GPL-3.0-or-later
"""Real motion on real rigs: the report's numbers stay within what animators accept, whichever way the motion faces."""

from __future__ import annotations

import importlib
import tarfile
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from motions import CMU, real_clip
from rig_stage import Rna, Stage
from test_rig_families import NOT_MOVED, RIGS, TRUTH, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not (RIGS.exists() and CMU.exists()), reason="the shared data is not at hand")

FRAMES, TURNING = 60, 40
FACINGS = tuple(range(0, 360, 45))
FIVE = ("rigify_control", "mpfb_mixamo", "mpfb_game_engine", "quaternius_casual", "vrm_debug_robot")
STEP = 30.0


@pytest.fixture
def stage(addon: str) -> Stage:
    return Stage(addon)


@pytest.fixture(scope="module")
def clip(addon: str) -> Rna:
    return real_clip(addon, "16_31", frames=FRAMES)


def report(stage: Stage, rig: Rna, motion: Rna) -> dict[str, float]:
    rig_report = importlib.import_module(f"{stage.addon}.rig_report")
    found = stage.detect.map_bones(stage.armature.read_rest_pose(rig))
    return rig_report.make(bpy.context, rig, found, motion).errors


@pytest.mark.parametrize("name", [name for name in TRUTH if name not in NOT_MOVED])
def test_a_real_walk_on_every_rig(stage: Stage, clip: Rna, name: str) -> None:
    errors = report(stage, load(TRUTH[name].file), clip)
    assert errors["direction_mean_degrees"] < 2.0
    assert errors["joints_mean_percent"] < 1.0
    assert errors["knees_backwards_frames"] == 0
    assert errors["foot_slide_mean_cm_s"] < 2.0
    assert abs(errors["travel_percent"] - 100.0) < 3.0
    assert errors["step_max_degrees"] < max(STEP, errors["source_step_max_degrees"] + 5.0)


def _bandai(addon: str, folder: Path) -> Rna:
    """A clip of the Bandai Namco set, read as the sidebar imports a folder of BVH files."""
    archive = CMU.parents[1] / "bandai-namco" / "bandai_namco_bvh.tar.xz"
    with tarfile.open(archive) as packed:
        member = next(one for one in packed if one.name.endswith(".bvh") and "dance" in one.name)
        stream = packed.extractfile(member)
        assert stream
        (folder / "clip.bvh").write_bytes(stream.read())
    clips = importlib.import_module(f"{addon}.bvh_clips").read_clips(folder / "clip.bvh")
    return next(iter(clips))


@pytest.fixture(scope="module")
def turns(addon: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Rna]]:
    """Motions that turn: a walk that turns round, and a dance."""
    placement = importlib.import_module(f"{addon}.placement")
    yield {
        "CMU 16_31": real_clip(addon, "16_31", frames=TURNING),
        "Bandai Namco": placement.cut(_bandai(addon, tmp_path_factory.mktemp("clip")), TURNING),
    }


def facing(addon: str, motion: Rna, yaw: float) -> Rna:
    """The motion turned about the vertical."""
    joining = importlib.import_module(f"{addon}.shared").joining
    return joining.placed(motion, 0, yaw, np.zeros(3))


@pytest.mark.parametrize("name", FIVE)
@pytest.mark.parametrize("source", ["CMU 16_31", "Bandai Namco"])
def test_nothing_jumps_at_any_facing(stage: Stage, turns: dict[str, Rna], name: str, source: str) -> None:
    """No bone turns by more than 30 degrees in a frame unless its joint does so in the motion."""
    quat, rotations = (getattr(stage.shared, each) for each in ("quaternions", "rotations"))
    capture, preview, rig_report = (
        importlib.import_module(f"{stage.addon}.{each}") for each in ("capture", "preview", "rig_report")
    )
    rig = load(TRUTH[name].file)
    rest = stage.armature.read_rest_pose(rig)
    found = stage.detect.map_bones(rest)
    showing = rig_report._showing(rig, found.bones)
    seen = []
    for yaw in FACINGS:
        motion = facing(stage.addon, turns[source], float(np.radians(yaw)))
        with preview.tried(bpy.context.scene, rig, stage.solver.solve(rest, found, motion)):
            frames = [float(frame) for frame in range(motion.frames)]
            posed = capture.matrices(rig, bpy.context, frames, list(showing.values()))
        steps = stage.steps(posed[..., :3, :3])
        world = quat.to_matrix(rotations.world_rotations(motion.rotations))
        allowed = np.maximum(STEP, stage.steps(world) + 5.0)
        index = [stage.shared.skeleton.INDEX[joint] for joint in showing]
        assert (steps < allowed[:, index]).all(), (yaw, (steps - allowed[:, index]).max())
        seen.append(steps)
    # And it moves the same whichever way it faces.
    assert max(np.abs(each - seen[0]).max() for each in seen[1:]) < 0.5
