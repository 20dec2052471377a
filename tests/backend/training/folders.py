# SPDX-License-Identifier: GPL-3.0-or-later
"""Small made-up folders of motion in every form that `data prepare` and `library import` read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from acclaim import as_acclaim
from gaits import gait

from backend.motion.bvh import parse_bvh
from backend.motion.clip import Motion
from backend.motion.formats import bvh_text
from backend.motion.rotations import rotations_from_positions
from backend.training.data.canonical import SKELETONS, grounded
from backend.training.data.prepare import LAYOUT

if TYPE_CHECKING:
    from pathlib import Path

    from backend.motion.bvh import Bvh

SPEEDS = (1.2, 0.0, 2.0)


def walk(frames: int, speed: float) -> np.ndarray:
    positions, _ = gait(frames, speed, 0.5 if speed else 0.1)
    return grounded(positions.astype(np.float64))


def walk_bvh(frames: int, speed: float) -> str:
    positions, contacts = gait(frames, speed, 0.5 if speed else 0.1)
    rotations = rotations_from_positions(positions)
    return bvh_text(Motion(20.0, positions, rotations, positions[:, 0], contacts))


def bvh_folder(folder: Path, frames: int = 60) -> Path:
    """Three captioned walks, the first with two captions."""
    folder.mkdir()
    lines = ["file,caption,licence", "walk0.bvh,a man waves with the left hand,CC0-1.0"]
    for number, speed in enumerate(SPEEDS):
        (folder / f"walk{number}.bvh").write_text(walk_bvh(frames, speed))
        lines.append(f'walk{number}.bvh,"a person walks, number {number}",CC0-1.0')
    (folder / "captions.csv").write_text("\n".join(lines) + "\n")
    return folder


def cmu_bvh(frames: int, speed: float) -> Bvh:
    """A walk whose joints are called as in CMU's BVH conversions."""
    bvh = parse_bvh(walk_bvh(frames, speed))
    theirs = joints_of("canonical", "cmu31")
    return replace(bvh, names=tuple(theirs.get(name, name) for name in bvh.names))


def joints_of(source: str, target: str) -> dict[str, str]:
    """What the joints of one known skeleton are called in another."""
    named: dict[str, str] = {}
    one, other = SKELETONS[source], SKELETONS[target]
    for part in ("spine", "shoulders", "elbows", "wrists", "hips", "knees", "ankles", "toes"):
        named |= zip(getattr(one, part), getattr(other, part), strict=True)
    return named | {one.pelvis: other.pelvis, one.head: other.head}


def cmu_folder(folder: Path, frames: int = 60) -> Path:
    """subjects/NN/NN.asf and NN_NN.amc with CMU's index as text, which lists one trial more than there is."""
    rng = np.random.default_rng(1)
    lines = ["Subject #2 (various)"]
    for number, speed in enumerate(SPEEDS, start=1):
        subject = folder / "subjects" / f"0{1 + number // 2}"
        subject.mkdir(parents=True, exist_ok=True)
        bvh = cmu_bvh(frames, speed)
        names = joints_of("cmu31", "cmu_asf")
        asf, amc = as_acclaim(bvh, rng, names)
        (subject / f"{subject.name}.asf").write_text(asf)
        (subject / f"{subject.name}_0{number}.amc").write_text(amc)
        lines.append(f"{subject.name}_0{number} \t{'walk' if number == 1 else 'juggling, number ' + str(number)}")
    (folder / "cmu-mocap-index-text.txt").write_text("\n".join([*lines, "09_01  run"]) + "\n")
    return folder


def humanml3d_folder(folder: Path, frames: int = 60, features: bool = False) -> Path:
    """Three motions of a figure of other proportions; the second has a caption for its first second alone."""
    motions = folder / ("new_joint_vecs" if features else "new_joints")
    motions.mkdir(parents=True)
    (folder / "texts").mkdir()
    spoken = "a person walks, number {}.#a/DET person/NOUN#0.0#0.0\nsomeone moves to the left#x#nan#nan\n"
    for number, speed in enumerate(SPEEDS):
        positions = 0.8 * walk(frames, speed)
        if features:
            rows = LAYOUT.encode(positions, np.zeros((frames, 4)))
            values = np.concatenate([rows[:, :67], np.zeros((frames, 126)), rows[:, 67:]], axis=1)
        else:
            values = positions
        for name in (f"00000{number}", f"M00000{number}"):
            np.save(motions / f"{name}.npy", values.astype(np.float32))
            (folder / "texts" / f"{name}.txt").write_text(spoken.format(number))
    with (folder / "texts" / "000001.txt").open("a") as handle:
        handle.write("a person starts to walk#x/NOUN#0.0#1.5\n")
    return folder
