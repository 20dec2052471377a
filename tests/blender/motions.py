# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions for the tests of retargeting: a walk made by rule, and real clips where the shared data is at hand."""

from __future__ import annotations

import importlib
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
FPS = 20.0

CMU = Path(__file__).parents[3] / "shared" / "data" / "mocap" / "cmu" / "cmu_bvh.tar.xz"
_CMU_JOINTS = (
    *("Hips", "LeftUpLeg", "RightUpLeg", "Spine", "LeftLeg", "RightLeg", "Spine1", "LeftFoot", "RightFoot"),
    *("Neck", "LeftToeBase", "RightToeBase", "Neck1", "LeftShoulder", "RightShoulder", "Head"),
    *("LeftArm", "RightArm", "LeftForeArm", "RightForeArm", "LeftHand", "RightHand"),
)


def walk(addon: str, frames: int = 60, yaw: float = 0.0) -> Any:  # noqa: ANN401 (the add-on's Motion)
    """A person walks forward and waves with the left hand. `yaw` turns the whole walk, radians."""
    quat = importlib.import_module(f"{addon}.shared").quaternions
    index = importlib.import_module(f"{addon}.shared").skeleton.INDEX
    x, y, z = np.eye(3)
    phase = np.arange(frames) / FPS * 2.0 * np.pi * 0.9
    turns = np.zeros((frames, 22, 4))
    turns[..., 0] = 1.0

    def turn(joint: str, axis: Array, angle: Array) -> None:
        turns[:, index[joint]] = quat.multiply(quat.about(axis, angle), turns[:, index[joint]])

    for side, shift in (("left", 0.0), ("right", np.pi)):
        sign = 1.0 if side == "left" else -1.0
        turn(f"{side}_hip", x, -0.3 - 0.32 * np.sin(phase + shift))
        turn(f"{side}_knee", x, 0.55 + 0.6 * np.maximum(0.0, np.cos(phase + shift)) ** 2)
        turn(f"{side}_ankle", x, -0.25 + 0.3 * np.sin(phase + shift))
        turn(f"{side}_elbow", y, -sign * (0.5 + 0.2 * np.sin(phase)))
        turn(f"{side}_shoulder", z, np.full(frames, -sign * 1.2))
        turn(f"{side}_shoulder", x, 0.35 * np.sin(phase + shift))
    turn("left_shoulder", z, 1.0 + 0.4 * np.sin(2.0 * phase))
    turn("spine2", y, 0.12 * np.sin(phase))
    turn("spine3", x, np.full(frames, 0.08))
    turn("neck", y, 0.25 * np.sin(0.5 * phase))
    turn("pelvis", y, 0.1 * np.sin(phase + 1.0))
    root = np.zeros((frames, 3))
    root[:, 2] = np.arange(frames) / FPS * 1.1
    root[:, 1] = 0.92
    stance = [np.cos(phase + shift) < -0.2 for shift in (0.0, 0.0, np.pi, np.pi)]
    return _on_the_floor(addon, turns, root, yaw, np.stack(stance, axis=1).astype(np.float32))


def real_clip(addon: str, clip: str, frames: int = 196, yaw: float = 0.0) -> Any:  # noqa: ANN401 (the add-on's Motion)
    """A CMU clip that was captured on the skeleton with `LHipJoint`, brought onto the canonical one."""
    motion = f"{addon}.shared"
    bvh = importlib.import_module(importlib.import_module(motion).skeleton.__name__.rpartition(".")[0] + ".bvh")
    rotations = importlib.import_module(motion).rotations
    with tarfile.open(CMU) as archive:
        name = next(one for one in archive.getnames() if one.endswith(f"/{clip}.bvh"))
        file = archive.extractfile(name)
        assert file
        parsed = bvh.parse_bvh(file.read().decode())
    positions, _ = parsed.pose(_CMU_JOINTS)
    positions = positions[:: round(parsed.fps / FPS)][:frames]
    leg = sum(np.linalg.norm(positions[0, b] - positions[0, a]) for a, b in ((1, 4), (4, 7)))
    positions = (positions - positions[0, 0]) * (0.79 / leg)
    for collar, shoulder in ((13, 16), (14, 17)):  # shoulder bones start at the neck there
        positions[:, collar] += 0.25 * (positions[:, shoulder] - positions[:, collar])
    return _on_the_floor(addon, rotations.rotations_from_positions(positions), positions[:, 0].copy(), yaw)


def _on_the_floor(addon: str, turns: Array, root: Array, yaw: float, labels: Array | None = None) -> Any:  # noqa: ANN401
    """The motion with feet that stand still in contact; contacts are detected where no `labels` are given."""
    shared = importlib.import_module(f"{addon}.shared")
    contacts = importlib.import_module(shared.skeleton.__name__.rpartition(".")[0] + ".contacts")
    around = shared.quaternions.about(np.array([0.0, 1.0, 0.0]), np.array(yaw))
    turns = turns.copy()
    turns[:, 0] = shared.quaternions.multiply(around, turns[:, 0])
    root = shared.quaternions.rotate(around, root)
    positions = shared.rotations.forward_kinematics(turns, root)
    root[:, 1] += 0.02 - np.percentile(positions[:, [10, 11], 1].min(axis=1), 5)
    positions = shared.rotations.forward_kinematics(turns, root)
    if labels is None:
        labels = contacts.detect_contacts(positions, FPS)
    positions = contacts.lock_feet(positions, labels, FPS)
    turns = shared.rotations.rotations_from_positions(positions)
    positions = shared.rotations.forward_kinematics(turns, positions[:, 0])
    return shared.Motion(FPS, positions, turns, positions[:, 0].copy(), labels)
