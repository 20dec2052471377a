# SPDX-License-Identifier: GPL-3.0-or-later
# Blender's stubs know nodes, sockets and object data by their base classes only.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""Materials that carry their own light, so that Cycles needs no light rays: no noise, and a frame in a blink on a CPU.

A surface is shaded by where it faces against one fixed sun; the shadow on the floor is geometry (see `stage`).
"""

from __future__ import annotations

from typing import Any, Final

import bpy

# Towards the sun, a unit vector; the shadow falls the other way.
SUN: Final = (-0.42, -0.32, 0.85)
HORIZON: Final = (0.70, 0.76, 0.82)
SKY: Final = (0.42, 0.54, 0.68)
GROUND: Final = (0.47, 0.54, 0.62)
SHADOW: Final = (0.245, 0.295, 0.365)
LINES: Final = (0.24, 0.31, 0.40)

Colour = tuple[float, float, float]


def shaded(name: str, colour: Colour, gloss: float = 0.0) -> bpy.types.Material:
    """A matt surface of the colour, lit by the sun from one side and by the sky from the other."""
    material = _empty_material(name, colour)
    tree = material.node_tree
    sun = tree.nodes.new("ShaderNodeVectorMath")
    sun.operation = "DOT_PRODUCT"
    sun.inputs[1].default_value = SUN
    tree.links.new(tree.nodes.new("ShaderNodeNewGeometry").outputs["Normal"], sun.inputs[0])
    turned = tree.nodes.new("ShaderNodeMapRange")
    turned.inputs["From Min"].default_value = -1.0
    tree.links.new(sun.outputs["Value"], turned.inputs["Value"])
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    tree.links.new(turned.outputs["Result"], ramp.inputs["Fac"])
    stops = [(0.0, 0.18, 0.10), (0.42, 0.42, 0.07), (0.66, 0.84, 0.0), (1.0, 1.14, 0.03 + gloss)]
    elements = ramp.color_ramp.elements
    while len(elements) < len(stops):
        elements.new(0.5)
    for element, (position, light, sky) in zip(elements, stops, strict=True):
        element.position = position
        element.color = (*(channel * light + tint * sky for channel, tint in zip(colour, SKY, strict=True)), 1.0)
    _emit(material, ramp.outputs["Color"])
    return material


def plain(name: str, colour: Colour) -> bpy.types.Material:
    """One flat colour."""
    material = _empty_material(name, colour)
    _emit(material, colour)
    return material


def fading(name: str, colour: Colour, near: float, far: float) -> bpy.types.Material:
    """One flat colour that is gone `far` metres from the camera."""
    material = _empty_material(name, colour)
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = _emit(material, colour)
    distance = nodes.new("ShaderNodeMapRange")
    distance.interpolation_type = "SMOOTHSTEP"
    distance.inputs["From Min"].default_value = near
    distance.inputs["From Max"].default_value = far
    links.new(nodes.new("ShaderNodeCameraData").outputs["View Distance"], distance.inputs["Value"])
    blend = nodes.new("ShaderNodeMixShader")
    links.new(distance.outputs["Result"], blend.inputs[0])
    links.new(shader.outputs[0], blend.inputs[1])
    links.new(nodes.new("ShaderNodeBsdfTransparent").outputs[0], blend.inputs[2])
    links.new(blend.outputs[0], nodes["Material Output"].inputs["Surface"])
    return material


def backdrop(name: str) -> bpy.types.World:
    """Ground below the horizon, haze on it, sky above, by the direction of the view."""
    world = bpy.data.worlds.new(name)
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    split = nodes.new("ShaderNodeSeparateXYZ")
    links.new(nodes.new("ShaderNodeTexCoord").outputs["Generated"], split.inputs[0])
    height = nodes.new("ShaderNodeMapRange")
    height.inputs["From Min"].default_value = -0.5
    height.inputs["From Max"].default_value = 0.5
    links.new(split.outputs["Z"], height.inputs["Value"])
    ramp = nodes.new("ShaderNodeValToRGB")
    links.new(height.outputs["Result"], ramp.inputs["Fac"])
    elements = ramp.color_ramp.elements
    elements.new(0.5)
    for element, (position, colour) in zip(elements, [(0.12, GROUND), (0.50, HORIZON), (0.85, SKY)], strict=True):
        element.position = position
        element.color = (*colour, 1.0)
    links.new(ramp.outputs["Color"], nodes["Background"].inputs["Color"])
    # Seen, but no lamp: a map of its brightness would be made anew for every frame.
    world.cycles.sampling_method = "NONE"
    return world


def _empty_material(name: str, colour: Colour) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    material.diffuse_color = (*colour, 1.0)
    material.node_tree.nodes.remove(material.node_tree.nodes["Principled BSDF"])
    # Seen, but no lamp: sampling thousands of glowing triangles would cost more than all the rest.
    material.cycles.emission_sampling = "NONE"
    return material


def _emit(material: bpy.types.Material, colour: Any) -> bpy.types.Node:  # noqa: ANN401  a socket or a colour
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = nodes.new("ShaderNodeEmission")
    if isinstance(colour, bpy.types.NodeSocket):
        links.new(colour, shader.inputs["Color"])
    else:
        shader.inputs["Color"].default_value = (*colour, 1.0)
    links.new(shader.outputs[0], nodes["Material Output"].inputs["Surface"])
    return shader
