# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way, prompt to keys on a Rigify control rig, measured on its deforming bones."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from scenes import Rna, generate, keys, ops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FPS = 20
FACING = np.array([0.0, -1.0, 0.0])  # Rigify's human at rest
SOLES = ("DEF-foot.L", "DEF-toe.L", "DEF-foot.R", "DEF-toe.R")


@dataclass(repr=False)
class Walk:
    """`hips` (T, 3); `soles` (T, 4) heights above their rest; `turns` (T, N) degrees from frame to frame."""

    hips: NDArray[np.float64]
    soles: NDArray[np.float64]
    turns: NDArray[np.float64]
    keys: dict[int, list[dict[tuple[str, int], list[tuple[float, float]]]]]


@pytest.fixture(scope="module")
def walk(addon: str, backend_python: str) -> Iterator[Walk]:
    made: dict[int, list[dict[tuple[str, int], list[tuple[float, float]]]]] = {1: [], 2: []}
    for seed in (2, 1, 1):
        # A scene of its own each: in one that moves already, a motion goes on from the pose that it finds.
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        bpy.context.preferences.addons[addon].preferences.python = backend_python
        rig = _control_rig()
        scene: Rna = bpy.context.scene
        scene.render.fps, scene.render.fps_base, scene.frame_current = FPS, 1.0, 1
        settings = scene.remodiffuse
        settings.prompt, settings.seconds, settings.count, settings.seed = "a person walks forward", 5.0, 1, seed
        generate()
        ops.remodiffuse.accept_take()
        made[seed].append(keys(rig.animation_data.action))
    yield _measured(scene, rig, made)
    importlib.import_module(f"{addon}.takes").end()


def _control_rig() -> Rna:
    bpy.ops.preferences.addon_enable(module="rigify")
    ops.object.armature_human_metarig_add()
    metarig: Rna = bpy.context.object
    ops.pose.rigify_generate()
    bpy.data.objects.remove(metarig)
    return bpy.context.object


def _measured(scene: Rna, rig: Rna, made: dict[int, list[dict[tuple[str, int], list[tuple[float, float]]]]]) -> Walk:
    deforming = [bone.name for bone in rig.data.bones if bone.use_deform]
    rest = np.array([rig.data.bones[name].head_local.z for name in SOLES])
    hips, soles, rotations = [], [], []
    for frame in range(1, round(rig.animation_data.action.frame_range[1]) + 1):
        scene.frame_set(frame)
        bones = rig.pose.bones
        hips.append(0.5 * (bones["DEF-thigh.L"].head + bones["DEF-thigh.R"].head))
        soles.append([bones[name].head.z for name in SOLES] - rest)
        rotations.append([bones[name].matrix.to_quaternion() for name in deforming])
    turned = np.array(rotations)
    cosine = np.abs(np.einsum("tnc,tnc->tn", turned[1:], turned[:-1])).clip(0.0, 1.0)
    return Walk(np.array(hips), np.array(soles), np.degrees(2.0 * np.arccos(cosine)), made)


def test_the_hips_travel_over_a_metre_along_the_facing_direction(walk: Walk) -> None:
    assert len(walk.hips) == 5 * FPS
    travel = float((walk.hips[-1] - walk.hips[0]) @ FACING)
    assert travel > 1.0


def test_the_lower_foot_stays_within_five_centimetres_of_the_floor(walk: Walk) -> None:
    farthest = float(np.abs(walk.soles.min(axis=1)).max())
    assert farthest < 0.05


def test_no_bone_turns_more_than_30_degrees_between_frames(walk: Walk) -> None:
    largest = float(walk.turns.max())
    assert largest < 30.0


def test_the_same_seed_gives_the_same_keys_and_another_seed_others(walk: Walk) -> None:
    assert walk.keys[1][0] == walk.keys[1][1]
    assert walk.keys[1][0] != walk.keys[2][0]
