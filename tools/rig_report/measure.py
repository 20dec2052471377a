# SPDX-License-Identifier: GPL-3.0-or-later
# Blender's stubs know object data by its base classes only.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""Inside Blender: `measure RESULT.json MOTION.npz-or-empty FILE...` writes one report a rig file."""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from remodiffuse_blender import timeline
from remodiffuse_blender.rig.armature import read_rest_pose
from remodiffuse_blender.rig.body import LEG_LENGTH, Body, measure
from remodiffuse_blender.rig.detect import map_bones, propose
from remodiffuse_blender.rig.solve import solve
from remodiffuse_blender.shared import BackendError, Motion, rotations, skeleton
from remodiffuse_blender.shared import quaternions as quat

from ..inside_blender import run

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = NDArray[np.floating[Any]]

INDEX: Final = skeleton.INDEX
SEGMENTS: Final = (
    *(
        ("left_hip", "left_knee"),
        ("left_knee", "left_ankle"),
        ("right_hip", "right_knee"),
        ("right_knee", "right_ankle"),
    ),
    *(("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist")),
    *(("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist")),
    *(("spine1", "neck"), ("neck", "head")),
)


def main() -> None:
    """Reports on all files, in their order."""
    result, motion_file, *files = sys.argv[1:]
    motion = _motion(Path(motion_file)) if motion_file else None
    reports = [report(Path(file), motion) for file in files]
    Path(result).write_text(json.dumps(reports, ensure_ascii=False), encoding="utf-8")


def report(file: Path, motion: Motion | None) -> dict[str, Any]:
    """Family, confidence, bone map, what is missing and, with a motion, how the rig follows it."""
    rig = load(file)
    rest = read_rest_pose(rig)
    proposal = propose(rest)
    found: dict[str, Any] = {
        "file": str(file),
        "family": proposal.family,
        "confidence": round(proposal.confidence, 3),
        "map": proposal.bones,
        "missing": [{"joint": one.joint, "remedy": one.remedy} for one in proposal.missing],
        "errors": {},
    }
    try:
        bone_map = map_bones(rest)
    except BackendError as error:
        found["problem"] = str(error)
        return found
    if motion:
        clock = time.perf_counter()
        channels = solve(rest, bone_map, motion)
        timeline.write_action(rig, channels, "Rig report", 1.0)
        spent = time.perf_counter() - clock
        body, bones = measure(rest, bone_map), _showing(rig, bone_map.bones)
        errors = _errors(body, bones, _poses(rig, bones, motion.frames), motion) | {"solve_ms": 1e3 * spent}
        found["errors"] = {name: round(float(value), 3) for name, value in errors.items()}
    return found


def load(file: Path) -> bpy.types.Object:
    """The armature with the most bones of a rig file, without the motion that it came with."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    suffix, path = file.suffix.lower(), str(file)
    if suffix == ".json":
        return _builder(file).build(path)
    if suffix == ".blend":
        bpy.ops.wm.open_mainfile(filepath=path)
    elif suffix in (".glb", ".gltf"):
        bpy.ops.import_scene.gltf(filepath=path)
    elif suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=path)
    else:
        bpy.ops.import_anim.bvh(filepath=path)
    armatures = [each for each in bpy.context.scene.objects if each.type == "ARMATURE"]
    if not armatures:
        raise ValueError(f"There is no armature in {file.name}.")
    rig = max(armatures, key=lambda each: len(each.data.bones))
    if rig.animation_data:  # its drivers belong to the rig and stay
        rig.animation_data.action = None
        for track in list(rig.animation_data.nla_tracks):
            rig.animation_data.nla_tracks.remove(track)
    for bone in rig.pose.bones:
        bone.matrix_basis.identity()
    bpy.context.view_layer.update()
    return rig


def _builder(file: Path) -> Any:  # noqa: ANN401  (a module)
    """The build_rig.py that lies beside a rig's .json, or above it."""
    script = next((folder / "build_rig.py" for folder in file.parents if (folder / "build_rig.py").is_file()), None)
    spec = importlib.util.spec_from_file_location("build_rig", script) if script else None
    if spec is None or spec.loader is None:
        raise ValueError(f"There is no build_rig.py beside {file.name}.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _motion(file: Path) -> Motion:
    with np.load(file, allow_pickle=False) as data:
        positions, turns, root, contacts = (data[name] for name in ("positions", "rotations", "root", "contacts"))
        first = 0 if positions.ndim == 4 else slice(None)
        return Motion(float(data["fps"]), positions[first], turns[first], root[first], contacts[first])


def _showing(rig: bpy.types.Object, bones: dict[str, str]) -> dict[str, str]:
    """Joint -> the bone that shows: in Rigify's rigs the deforming one that the control moves."""
    deforming = {joint: f"DEF-{bone.replace('_fk', '')}" for joint, bone in bones.items()}
    return {joint: deforming[joint] if deforming[joint] in rig.pose.bones else bone for joint, bone in bones.items()}


def _poses(rig: bpy.types.Object, bones: dict[str, str], frames: int) -> dict[str, Array]:
    """Evaluated pose matrices (T, 4, 4) in armature space, by joint."""
    found: dict[str, list[Array]] = {joint: [] for joint in bones}
    for frame in range(frames):
        bpy.context.scene.frame_set(1 + frame)
        for joint, bone in bones.items():
            found[joint].append(np.array(rig.pose.bones[bone].matrix))
    return {joint: np.array(matrices) for joint, matrices in found.items()}


def _errors(body: Body, bones: dict[str, str], poses: dict[str, Array], motion: Motion) -> dict[str, Any]:
    """The table of errors; lengths in the motion's metres, that is, scaled by leg length."""
    place = {joint: (m[:, :3, 3] - body.ground) @ body.axes / body.scale for joint, m in poses.items()}
    source = {joint: motion.positions[:, INDEX[joint]].astype(np.float64) for joint in poses}
    segments = [(a, b) for a, b in SEGMENTS if a in poses and b in poses]
    angles = np.stack([_angle(place[b] - place[a], source[b] - source[a]) for a, b in segments])
    turned = {joint: quat.from_matrix(_orthonormal(matrices)) for joint, matrices in poses.items()}
    back = _back_on_the_canonical_skeleton(body, bones, turned, motion)
    speeds, heights = [], []
    for channel, joint in enumerate(("left_ankle", "left_foot", "right_ankle", "right_foot")):
        held = motion.contacts[:, channel] > 0.6
        if joint in poses and held.any():
            speed = np.linalg.norm(np.diff(place[joint][:, [0, 2]], axis=0), axis=-1) * motion.fps
            speeds.append(speed[held[1:] & held[:-1]])
            if joint.endswith("foot"):
                # A flat foot's toe is as far below its ankle as at rest.
                drop = float(body.direction(joint.replace("foot", "ankle"), joint)[1])
                heights.append(np.abs(place[joint][held, 1] - (body.ankle_height + drop) / body.scale))
    return {
        "direction_mean_degrees": angles.mean(),
        "direction_max_degrees": angles.max(),
        "joints_mean_percent": 100.0 * np.linalg.norm(back - motion.positions, axis=-1).mean() / LEG_LENGTH,
        "step_max_degrees": max(_steps(turns).max() for turns in turned.values()),
        "source_step_max_degrees": _steps(rotations.world_rotations(motion.rotations)).max(),
        "foot_slide_mean_cm_s": 100.0 * np.concatenate([*speeds, np.zeros(1)]).mean(),
        "foot_height_max_cm": 100.0 * np.concatenate([*heights, np.zeros(1)]).max(),
        "knees_backwards_frames": sum(_backwards(place, side) for side in ("left", "right")),
    }


def _back_on_the_canonical_skeleton(
    body: Body, bones: dict[str, str], turned: dict[str, Array], motion: Motion
) -> Array:
    """Joint positions (T, 22, 3) of the canonical skeleton in the pose of the rig."""
    axes = quat.from_matrix(body.axes)
    world = np.zeros((motion.frames, len(skeleton.JOINTS), 4))
    for joint, name in enumerate(skeleton.JOINTS):
        if name not in bones:
            world[:, joint] = world[:, skeleton.PARENTS[joint]]
            continue
        rest = quat.from_matrix(body.rest.matrices[body.rest.index[bones[name]], :3, :3])
        straight = quat.multiply(body.corrections[name], quat.multiply(quat.conjugate(axes), rest))
        against_rest = quat.multiply(quat.conjugate(axes), quat.multiply(turned[name], quat.conjugate(straight)))
        world[:, joint] = against_rest
    parents = list(skeleton.PARENTS[1:])
    local = world.copy()
    local[:, 1:] = quat.multiply(quat.conjugate(world[:, parents]), world[:, 1:])
    return rotations.forward_kinematics(local, motion.root)


def _orthonormal(matrices: Array) -> Array:
    """Rotation parts (T, 3, 3) of pose matrices, without their scale."""
    return matrices[:, :3, :3] / np.linalg.norm(matrices[:, :3, :3], axis=1, keepdims=True)


def _angle(one: Array, other: Array) -> Array:
    """Degrees between vectors."""
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(one, other), axis=-1), np.sum(one * other, axis=-1)))


def _steps(turns: Array) -> Array:
    """Degrees that each joint turns from frame to frame."""
    return np.degrees(quat.angle(quat.multiply(quat.conjugate(turns[1:]), turns[:-1])))


def _backwards(place: Mapping[str, Array], side: str) -> int:
    """Frames in which the knee is behind the line from hip to ankle, seen from where the pelvis faces."""
    hip, knee, ankle = (place[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
    line = quat.unit(ankle - hip)
    bulge = (knee - hip) - np.sum((knee - hip) * line, axis=-1, keepdims=True) * line
    left = place["left_hip"] - place["right_hip"]
    return int(np.sum(np.sum(bulge * np.cross(left, -line), axis=-1) < -1e-3 * LEG_LENGTH))


if __name__ == "__main__":
    run(main)
