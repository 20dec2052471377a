# SPDX-License-Identifier: GPL-3.0-or-later
# Blender's stubs know nodes, sockets and object data by their base classes only.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""A body for a bare rig: smooth parts built along its bones in the rest pose and skinned to them, one mesh object.

The parts are laid out on the joints that the add-on's bone map names; each part follows the deforming bone that runs
nearest to it, so that on a control rig the body shows what a skinned character would do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import bpy
import numpy as np

from . import look
from .shapes import Ring, Solid, ellipsoid, tube

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

BODY_COLOUR: Final = (0.80, 0.50, 0.29)
JOINT_COLOUR: Final = (0.055, 0.085, 0.13)
# Rest height of the pelvis joint that all sizes below belong to, metres.
PELVIS_HEIGHT: Final = 0.94
ARM_LENGTH: Final = 0.485
HEAD_HEIGHT: Final = 0.23
FINGERS: Final = ("thumb", "index", "middle", "ring", "pinky", "little", "palm")


@dataclass
class Figure:
    """The rig's rest pose in world space: joints (canonical name -> head), the body's axes and its size."""

    joints: dict[str, Vector]
    bones: dict[str, tuple[Vector, Vector]]
    floor: float
    left: Vector
    forward: Vector
    size: float
    height: float
    parts: list[tuple[Solid, dict[str, NDArray[np.float64]], int]] = field(default_factory=list)

    up: Vector = field(default_factory=lambda: np.array([0.0, 0.0, 1.0]))

    def add(self, solid: Solid, bone: str, accent: bool = False) -> None:
        """A rigid part that follows one bone."""
        self.parts.append((solid, {bone: np.ones(len(solid.vertices))}, int(accent)))

    def bone_at(self, point: Vector, direction: Vector | None = None) -> str:
        """The deforming bone that runs nearest to the point; of equals, the one that runs along `direction`."""

        def distance(name: str) -> float:
            head, tail = self.bones[name]
            along = tail - head
            length = float(np.linalg.norm(along)) or 1.0
            share = np.clip(np.dot(point - head, along) / length**2, 0.0, 1.0)
            away = float(np.linalg.norm(point - head - share * along))
            skew = 0.0 if direction is None else 1.0 - abs(float(np.dot(along / length, direction)))
            return away + 0.1 * self.size * skew

        return min(self.bones, key=distance)


def rest_figure(rig: bpy.types.Object, bone_map: dict[str, str]) -> Figure:
    """Read the rest pose. `bone_map`: canonical joint -> bone name, as the add-on found it."""
    world = np.array(rig.matrix_world)

    def place(point: object) -> Vector:
        return world[:3, :3] @ np.array(point) + world[:3, 3]

    armature: Any = rig.data
    spans = {bone.name: (place(bone.head_local), place(_end(bone, bone_map))) for bone in armature.bones}
    deforming = {name: spans[name] for name in _moved(armature, bone_map)} or spans
    joints = {joint: spans[name][0] for joint, name in bone_map.items()}
    shoulders = 0.5 * (joints["left_shoulder"] + joints["right_shoulder"])
    joints.setdefault("neck", shoulders + 0.45 * (joints["head"] - shoulders))
    for side in ("left", "right"):
        joints.setdefault(f"{side}_wrist", spans[bone_map[f"{side}_elbow"]][1])
    hips = joints["left_hip"] - joints["right_hip"]
    left = np.array([hips[0], hips[1], 0.0]) / np.linalg.norm(hips[:2])
    forward = np.cross(left, [0.0, 0.0, 1.0])
    floor = float(min(min(head[2], tail[2]) for head, tail in deforming.values()))
    ankle = 0.5 * (joints["left_ankle"] + joints["right_ankle"])
    leg = float(0.5 * (joints["left_hip"] + joints["right_hip"])[2] - ankle[2])
    floor = max(floor, float(ankle[2]) - 0.15 * leg)
    size = (float(0.5 * (joints["left_hip"] + joints["right_hip"])[2]) - floor) / (PELVIS_HEIGHT - 0.075)
    arm = [joints[f"left_{joint}"] for joint in ("shoulder", "elbow", "wrist")]
    # Figures from cartoons have short legs under a large body.
    size = max(size, 0.8 / ARM_LENGTH * float(np.linalg.norm(arm[1] - arm[0]) + np.linalg.norm(arm[2] - arm[1])))
    height = float(joints["head"][2]) - floor + HEAD_HEIGHT * size
    return Figure(joints, deforming, floor, left, forward, size, height)


def _moved(armature: Any, bone_map: dict[str, str]) -> list[str]:  # noqa: ANN401  (armature data)
    """The deforming bones that move with the body. Where the mapped bones do not deform, as in control rigs, that may
    be any.
    """
    deforming = [bone for bone in armature.bones if bone.use_deform]
    mapped = set(bone_map.values())
    if not mapped <= {bone.name for bone in deforming}:
        return [bone.name for bone in deforming]
    return [bone.name for bone in deforming if mapped & {bone.name, *(above.name for above in bone.parent_recursive)}]


def _end(bone: bpy.types.Bone, bone_map: dict[str, str]) -> Vector:
    """Where a bone leads to: the next bone of its limb, or the only one that hangs on it, or else its own tail. In
    many files tails point anywhere.
    """
    following = [each for each in bone.children if each.name in bone_map.values()]
    following = following or list(bone.children)
    lengthy = len(following) == 1 and (following[0].head_local - bone.head_local).length > 1e-4 * bone.length
    return np.array(following[0].head_local if lengthy else bone.tail_local)


def build(rig: bpy.types.Object, bone_map: dict[str, str]) -> bpy.types.Object:
    """The finished mannequin, skinned to the rig."""
    figure = rest_figure(rig, bone_map)
    _torso(figure)
    _head(figure)
    for side in ("left", "right"):
        _leg(figure, side)
        _foot(figure, side)
        _arm(figure, side)
        _hand(figure, side)
    return _skinned(figure, rig)


def _frame(start: Vector, end: Vector, towards: Vector) -> tuple[Vector, Vector, Vector]:
    """(axis, side, depth) unit vectors: along the limb, and across it with `depth` as near to `towards` as can be."""
    axis = (end - start) / np.linalg.norm(end - start)
    depth = towards - axis * np.dot(towards, axis)
    depth /= np.linalg.norm(depth)
    return axis, np.asarray(np.cross(depth, axis), np.float64), depth


def _limb(
    figure: Figure, start: Vector, end: Vector, towards: Vector, profile: list[tuple[float, float, float, float]]
) -> Solid:
    """A tapered limb. Profile rows: share of the length, half-width, half-depth, shift in depth; metres at size 1."""
    _, side, depth = _frame(start, end, towards)
    size = figure.size
    rings = [
        Ring(start + (end - start) * share + depth * shift * size, side * width * size, depth * deep * size)
        for share, width, deep, shift in profile
    ]
    return tube(rings, 0.7, 0.7)


def _ball(figure: Figure, centre: Vector, radius: float) -> Solid:
    axes = np.stack([figure.left, figure.forward, figure.up]) * radius * figure.size
    return ellipsoid(centre, axes)


def _torso(figure: Figure) -> None:
    """One skin from the crotch to the neck, its weights blended along the spine."""
    joints, size = figure.joints, figure.size
    hips = 0.5 * (joints["left_hip"] + joints["right_hip"])
    shoulders = 0.5 * (joints["left_shoulder"] + joints["right_shoulder"])
    neck = joints["neck"]
    hip_width = 0.5 * np.linalg.norm(joints["left_hip"] - joints["right_hip"]) + 0.068 * size
    shoulder_width = 0.5 * np.linalg.norm(joints["left_shoulder"] - joints["right_shoulder"])
    chest_width = max(min(0.155 * size, shoulder_width), 0.86 * shoulder_width)
    waist = max(0.125 * size, 0.35 * (hip_width + chest_width))
    back = -figure.forward * size
    # share of the way from hips to shoulders, half-width, half-depth, shift forwards
    profile = [
        (-0.17, 0.55 * hip_width, 0.075 * size, 0.0),
        (-0.06, 0.90 * hip_width, 0.100 * size, -0.004),
        (0.08, 1.00 * hip_width, 0.106 * size, -0.006),
        (0.24, 0.88 * hip_width, 0.094 * size, 0.002),
        (0.40, waist, 0.086 * size, 0.006),
        (0.60, 0.96 * chest_width, 0.100 * size, 0.008),
        (0.80, 1.08 * chest_width, 0.110 * size, 0.006),
        (0.95, 1.06 * chest_width, 0.096 * size, 0.000),
        (1.05, 0.78 * chest_width, 0.074 * size, -0.006),
    ]
    spine = shoulders - hips
    rings = [
        Ring(hips + spine * share - back * shift, figure.left * width, figure.forward * depth, 2.3)
        for share, width, depth, shift in profile
    ]
    rings.append(Ring(neck + figure.up * 0.01 * size, figure.left * 0.06 * size, figure.forward * 0.058 * size))
    solid = tube(rings, 0.7, 0.1)
    figure.parts.append((solid, _spine_weights(figure, solid.vertices, hips, neck), 0))


def _spine_weights(figure: Figure, vertices: Vector, hips: Vector, neck: Vector) -> dict[str, NDArray[np.float64]]:
    """Each vertex between the two bones of the spine nearest to its height."""
    levels = np.linspace(0.06, 0.94, 5)
    names = [figure.bone_at(hips + (neck - hips) * level, figure.up) for level in levels]
    spine = neck - hips
    height = np.clip((vertices - hips) @ spine / np.dot(spine, spine), levels[0], levels[-1])
    weights: dict[str, NDArray[np.float64]] = {}
    for index, name in enumerate(names):
        share = np.interp(height, levels, np.eye(len(levels))[index])
        weights[name] = weights.get(name, np.zeros(len(vertices))) + share
    return weights


def _head(figure: Figure) -> None:
    joints, size = figure.joints, figure.size
    neck, head = joints["neck"], joints["head"]
    bone = figure.bone_at(head + figure.up * 0.08 * size, figure.up)
    rows = [(-0.25, 0.056, 0.058, 0.0), (0.4, 0.049, 0.052, 0.0), (1.1, 0.052, 0.056, 0.0)]
    figure.add(
        _limb(figure, neck, head + figure.up * 0.02 * size, figure.forward, rows), figure.bone_at(0.5 * (neck + head))
    )
    centre = head + figure.up * 0.095 * size + figure.forward * 0.018 * size
    rows_head = [
        (-0.115, 0.040, 0.045, 0.028),
        (-0.085, 0.058, 0.068, 0.018),
        (-0.040, 0.071, 0.086, 0.006),
        (0.015, 0.079, 0.097, -0.002),
        (0.065, 0.075, 0.092, -0.006),
        (0.105, 0.050, 0.062, -0.008),
    ]
    rings = [
        Ring(
            centre + (figure.up * height + figure.forward * shift) * size,
            figure.left * width * size,
            figure.forward * depth * size,
        )
        for height, width, depth, shift in rows_head
    ]
    figure.add(tube(rings, 0.45, 0.55), bone)
    # A visor, so that the eye sees where the head looks.
    visor = [
        Ring(
            centre + (figure.up * height + figure.forward * 0.012) * size,
            figure.left * width * size,
            figure.forward * depth * size,
            2.6,
        )
        for height, width, depth in [(-0.012, 0.066, 0.084), (0.012, 0.0685, 0.088), (0.034, 0.067, 0.085)]
    ]
    figure.add(tube(visor, 0.1, 0.1), bone, accent=True)


def _leg(figure: Figure, side: str) -> None:
    hip, knee, ankle = (figure.joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
    front = figure.forward
    thigh = [
        (-0.02, 0.074, 0.082, 0.0),
        (0.2, 0.078, 0.086, 0.0),
        (0.6, 0.062, 0.066, 0.004),
        (0.96, 0.047, 0.049, 0.004),
    ]
    shin = [
        (0.04, 0.046, 0.048, 0.0),
        (0.28, 0.052, 0.057, -0.012),
        (0.65, 0.038, 0.041, -0.006),
        (0.95, 0.031, 0.034, 0.0),
    ]
    upper = figure.bone_at(hip + 0.5 * (knee - hip), (knee - hip) / np.linalg.norm(knee - hip))
    lower = figure.bone_at(knee + 0.5 * (ankle - knee), (ankle - knee) / np.linalg.norm(ankle - knee))
    figure.add(_limb(figure, hip, knee, front, thigh), upper)
    figure.add(_ball(figure, knee, 0.050), lower, accent=True)
    figure.add(_limb(figure, knee, ankle, front, shin), lower)
    figure.add(_ball(figure, ankle, 0.036), lower, accent=True)


def _foot(figure: Figure, side: str) -> None:
    """A shoe with a flat sole on the floor; its front third follows the toes."""
    size = figure.size
    ankle, toe = figure.joints[f"{side}_ankle"], figure.joints.get(f"{side}_foot")
    if toe is None:
        toe = ankle + (figure.forward * 0.12 - figure.up * 0.055) * size
    ahead = toe - ankle
    ahead[2] = 0.0
    length = float(np.linalg.norm(ahead))
    ahead /= length
    across = np.cross(figure.up, ahead)
    ground = np.array([ankle[0], ankle[1], figure.floor])

    def ring(distance: float, width: float, height: float) -> Ring:
        """A cross-section at `distance` ahead of the ankle whose lowest point lies on the floor."""
        centre = ground + ahead * distance + figure.up * 0.5 * height * size
        return Ring(centre, across * width * size, figure.up * 0.5 * height * size, 2.8)

    heel = [
        ring(-0.052 * size, 0.026, 0.060),
        ring(-0.030 * size, 0.035, 0.088),
        ring(0.015 * size, 0.039, 0.096),
        ring(0.5 * length, 0.043, 0.074),
        ring(0.98 * length, 0.047, 0.052),
    ]
    toes = [
        ring(0.96 * length, 0.0465, 0.051),
        ring(length + 0.035 * size, 0.043, 0.042),
        ring(length + 0.06 * size, 0.033, 0.034),
    ]
    foot_bone = figure.bone_at(0.5 * (ankle + toe), (toe - ankle) / np.linalg.norm(toe - ankle))
    figure.add(tube(heel, 0.5, 0.15), foot_bone)
    figure.add(tube(toes, 0.15, 0.5), figure.bone_at(toe + ahead * 0.04 * size, ahead))


def _arm(figure: Figure, side: str) -> None:
    shoulder, elbow, wrist = (figure.joints[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
    front = figure.forward
    upper_rows = [(0.02, 0.048, 0.050, 0.0), (0.35, 0.046, 0.048, 0.0), (0.95, 0.035, 0.036, 0.0)]
    lower_rows = [(0.04, 0.035, 0.036, 0.0), (0.25, 0.037, 0.039, 0.0), (0.95, 0.024, 0.028, 0.0)]
    upper = figure.bone_at(shoulder + 0.5 * (elbow - shoulder), (elbow - shoulder) / np.linalg.norm(elbow - shoulder))
    lower = figure.bone_at(elbow + 0.5 * (wrist - elbow), (wrist - elbow) / np.linalg.norm(wrist - elbow))
    figure.add(_ball(figure, shoulder, 0.057), upper, accent=True)
    figure.add(_limb(figure, shoulder, elbow, front, upper_rows), upper)
    figure.add(_ball(figure, elbow, 0.037), lower, accent=True)
    figure.add(_limb(figure, elbow, wrist, front, lower_rows), lower)


def _hand(figure: Figure, side: str) -> None:
    """A palm, and a finger for every finger bone; without finger bones a mitten."""
    size = figure.size
    elbow, wrist = figure.joints[f"{side}_elbow"], figure.joints[f"{side}_wrist"]
    axis, across, depth = _frame(elbow, wrist, figure.forward)
    fingers = [
        (name, head, tail)
        for name, (head, tail) in figure.bones.items()
        if np.linalg.norm(0.5 * (head + tail) - wrist) < 0.24 * size
        and np.dot(head - wrist, axis) > 0.01 * size
        and any(word in name.lower() for word in FINGERS)
    ]
    bone = figure.bone_at(wrist + axis * 0.04 * size, axis)
    figure.add(_ball(figure, wrist, 0.029), bone, accent=True)
    # Half-width runs front to back with the palm facing down in the T-pose.
    rows = [(0.01, 0.017, 0.027), (0.045, 0.019, 0.037), (0.085, 0.016, 0.040)]
    if not fingers:
        rows += [(0.13, 0.014, 0.036), (0.165, 0.011, 0.027)]
    rings = [Ring(wrist + axis * reach * size, across * thin * size, depth * wide * size) for reach, thin, wide in rows]
    figure.add(tube(rings, 0.4, 0.5), bone)
    for name, head, tail in fingers:
        if "palm" in name.lower():
            continue
        _, side_axis, depth_axis = _frame(head, tail, figure.forward)
        radius = 0.0095 * size
        figure.add(
            tube([Ring(point, side_axis * radius, depth_axis * radius) for point in (head, tail)], 0.9, 0.9), name
        )


def _skinned(figure: Figure, rig: bpy.types.Object) -> bpy.types.Object:
    """One mesh object with a vertex group per bone and an armature modifier."""
    vertices = np.concatenate([solid.vertices for solid, _, _ in figure.parts])
    faces: list[tuple[int, ...]] = []
    materials: list[int] = []
    groups: dict[str, NDArray[np.float64]] = {}
    offset = 0
    for solid, weights, material in figure.parts:
        count = len(solid.vertices)
        faces += [tuple(index + offset for index in face) for face in solid.faces]
        materials += [material] * len(solid.faces)
        for bone, values in weights.items():
            groups.setdefault(bone, np.zeros(len(vertices)))[offset : offset + count] = values
        offset += count
    mesh = bpy.data.meshes.new("Mannequin")
    mesh.from_pydata(vertices.tolist(), [], faces)
    mesh.polygons.foreach_set("material_index", materials)
    mesh.polygons.foreach_set("use_smooth", [True] * len(faces))
    mesh.materials.append(look.shaded("Mannequin body", BODY_COLOUR))
    mesh.materials.append(look.shaded("Mannequin joints", JOINT_COLOUR, 0.06))
    body = bpy.data.objects.new("Mannequin", mesh)
    rig.users_collection[0].objects.link(body)
    for bone, values in groups.items():
        group = body.vertex_groups.new(name=bone)
        for weight in np.unique(values[values > 0.0]):
            group.add(np.flatnonzero(values == weight).tolist(), float(weight), "REPLACE")
    # Vertices are in world space: undo the rig's own placement.
    body.parent = rig
    body.matrix_parent_inverse = rig.matrix_world.inverted()
    modifier = body.modifiers.new("Rig", "ARMATURE")
    modifier.object = rig
    return body
