# SPDX-License-Identifier: GPL-3.0-or-later
# Blender's stubs know nodes, sockets and object data by their base classes only.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""The set around the character: a floor with a half-metre grid, its shadow, and a camera that follows smoothly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import bpy
import numpy as np
from mathutils import Vector

from . import look

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

WIDTH: Final = 640
HEIGHT: Final = 360
SAMPLES: Final = 4
# How far the camera stands, in body heights, and from where: turned from the facing direction, raised.
DISTANCE: Final = 3.0
TURN_DEGREES: Final = 38.0
RISE_DEGREES: Final = 12.0
SMOOTHING_SECONDS: Final = 0.5
GRID_REACH: Final = 12.0


def build(
    scene: bpy.types.Scene,
    bodies: Iterable[bpy.types.Object],
    path: NDArray[np.float64],
    facing: NDArray[np.float64],
    height: float,
) -> None:
    """Set the scene for a character of `height` metres, drawn by the mesh objects `bodies`, whose hips take `path`
    (T, 3) from `scene.frame_start` on, looking along `facing` (3,) at the start."""
    collection = bpy.data.collections.new("Stage")
    scene.collection.children.link(collection)
    scene.world = look.backdrop("Stage")
    _sun(collection)
    _grid(collection, path)
    shadow = look.plain("Shadow", look.SHADOW)
    for body in bodies:
        _shadow(collection, body, shadow)
    _camera(scene, collection, path, facing, height)
    _rendering(scene)


def _sun(collection: bpy.types.Collection) -> None:
    """For characters that bring materials of their own; ours are lit already."""
    light = bpy.data.lights.new("Sun", "SUN")
    light.energy = 3.0
    sun = bpy.data.objects.new("Sun", light)
    sun.rotation_euler = Vector(look.SUN).to_track_quat("Z", "Y").to_euler()
    collection.objects.link(sun)


def _grid(collection: bpy.types.Collection, path: NDArray[np.float64]) -> None:
    """Lines on the floor as thin strips: every half metre, every second one stronger."""
    low = np.floor(path[:, :2].min(axis=0) - GRID_REACH)
    high = np.ceil(path[:, :2].max(axis=0) + GRID_REACH)
    for name, spacing, offset, half_width, colour in [
        ("Grid 1 m", 1.0, 0.0, 0.009, look.LINES),
        ("Grid 0.5 m", 1.0, 0.5, 0.005, tuple(0.5 * (a + b) for a, b in zip(look.LINES, look.GROUND, strict=True))),
    ]:
        strips = []
        for axis in (0, 1):
            for place in np.arange(low[axis] + offset, high[axis], spacing):
                corners = [(place - half_width, low[1 - axis]), (place + half_width, low[1 - axis])]
                corners += [(place + half_width, high[1 - axis]), (place - half_width, high[1 - axis])]
                strips += [(*corner[:: 1 - 2 * axis], 0.0) for corner in corners]
        faces = np.arange(len(strips)).reshape(-1, 4).tolist()
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(strips, [], faces)
        mesh.materials.append(look.fading(name, colour, 5.0, 14.0))
        collection.objects.link(bpy.data.objects.new(name, mesh))


def _shadow(collection: bpy.types.Collection, body: bpy.types.Object, material: bpy.types.Material) -> None:
    """The body pressed flat onto the floor along the sun's rays, just below the grid lines."""
    tree: Any = bpy.data.node_groups.new(f"{body.name} shadow", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    nodes, links = tree.nodes, tree.links
    source = nodes.new("GeometryNodeObjectInfo")
    source.transform_space = "RELATIVE"
    source.inputs["Object"].default_value = body
    split = nodes.new("ShaderNodeSeparateXYZ")
    links.new(nodes.new("GeometryNodeInputPosition").outputs[0], split.inputs[0])
    join = nodes.new("ShaderNodeCombineXYZ")
    for axis in (0, 1):
        move = nodes.new("ShaderNodeMath")
        move.operation = "MULTIPLY_ADD"
        move.inputs[1].default_value = -look.SUN[axis] / look.SUN[2]
        links.new(split.outputs[2], move.inputs[0])
        links.new(split.outputs[axis], move.inputs[2])
        links.new(move.outputs[0], join.inputs[axis])
    join.inputs[2].default_value = -0.002
    press = nodes.new("GeometryNodeSetPosition")
    links.new(source.outputs["Geometry"], press.inputs["Geometry"])
    links.new(join.outputs[0], press.inputs["Position"])
    paint = nodes.new("GeometryNodeSetMaterial")
    paint.inputs["Material"].default_value = material
    links.new(press.outputs["Geometry"], paint.inputs["Geometry"])
    links.new(paint.outputs["Geometry"], nodes.new("NodeGroupOutput").inputs[0])
    shadow = bpy.data.objects.new(f"{body.name} shadow", bpy.data.meshes.new(f"{body.name} shadow"))
    shadow.modifiers.new("Shadow", "NODES").node_group = tree
    collection.objects.link(shadow)


def smoothed(path: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """(T, 3) the path under a Gaussian of `sigma` frames; beyond its ends it is taken to go on as it came."""
    reach = min(max(1, int(3 * sigma)), len(path) - 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(path, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    columns = [np.convolve(padded[:, axis], kernel, mode="valid") for axis in range(3)]
    return np.stack(columns, axis=1).astype(np.float64)


def _camera(
    scene: bpy.types.Scene,
    collection: bpy.types.Collection,
    path: NDArray[np.float64],
    facing: NDArray[np.float64],
    height: float,
) -> None:
    """Keeps its direction and follows the smoothed way of the hips along the ground."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.lens = 50.0
    collection.objects.link(camera)
    scene.camera = camera
    heading = np.arctan2(facing[0], -facing[1]) + np.radians(TURN_DEGREES)
    rise = np.radians(RISE_DEGREES)
    towards = np.array([np.sin(heading) * np.cos(rise), -np.cos(heading) * np.cos(rise), np.sin(rise)])
    target = smoothed(path, SMOOTHING_SECONDS * scene.render.fps)
    target[:, 2] = 0.49 * height
    camera.rotation_euler = Vector((-towards).tolist()).to_track_quat("-Z", "Y").to_euler()
    for step, place in enumerate(target + towards * DISTANCE * height):
        camera.location = place
        camera.keyframe_insert("location", frame=scene.frame_start + step)


def _rendering(scene: bpy.types.Scene) -> None:
    """Cycles on the CPU: the one engine that needs no graphics card and no display."""
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.render.resolution_percentage = 100
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "Standard"
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.samples = SAMPLES
    cycles.use_adaptive_sampling = False
    cycles.use_denoising = False
    cycles.max_bounces = cycles.diffuse_bounces = cycles.glossy_bounces = 0
