# SPDX-License-Identifier: GPL-3.0-or-later
"""How motions are put on an armature: settings that belong to the armature object and are saved with it."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty, PointerProperty

from .rig.options import Fingers, Limbs, Options, Start, Travel

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false

_OVERRIDABLE: Any = {"LIBRARY_OVERRIDABLE"}


class RemodiffuseRetarget(bpy.types.PropertyGroup):
    travel: EnumProperty(
        name="Travel",
        description="What carries the way along the ground",
        items=(
            ("HIPS", "Hips", "The hips themselves"),
            ("ROOT", "Root Bone", "The topmost bone above the hips; the hips where there is none"),
            ("OBJECT", "Object", "The armature object"),
        ),
        override=_OVERRIDABLE,
    )
    start: EnumProperty(
        name="Start",
        description="Where the motion begins",
        items=(
            ("HERE", "At Armature", "Where the armature stands and faces"),
            ("ORIGIN", "World Origin", "At the origin of the world, facing -Y"),
        ),
        override=_OVERRIDABLE,
    )
    stride: FloatProperty(
        name="Stride",
        description="Way along the ground, on top of the leg's length",
        default=1.0,
        min=0.0,
        soft_max=2.0,
        override=_OVERRIDABLE,
    )
    vertical: FloatProperty(
        name="Vertical",
        description="Ups and downs, on top of the leg's length",
        default=1.0,
        min=0.0,
        soft_max=2.0,
        override=_OVERRIDABLE,
    )
    foot_lock: FloatProperty(
        name="Foot Lock",
        description="How firmly feet in contact stay where they are",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        override=_OVERRIDABLE,
    )
    limbs: EnumProperty(
        name="Limbs",
        description="Which controls get keys, on control rigs that have both",
        items=(("FK", "FK", "Rotations of the limbs"), ("IK", "IK", "Hands, feet and poles")),
        override=_OVERRIDABLE,
    )
    fingers: EnumProperty(
        name="Fingers",
        description="A pose for the fingers; motions do not move them",
        items=(
            ("KEEP", "Keep", "Leave them as they are"),
            ("RELAXED", "Relaxed", "Slightly bent, as in a hand that hangs"),
            ("FIST", "Fist", "All fingers bent, the thumb over them"),
            ("FLAT", "Flat", "All fingers straight"),
        ),
        override=_OVERRIDABLE,
    )


CLASSES = (RemodiffuseRetarget,)


def attach() -> None:
    bpy.types.Object.remodiffuse_retarget = PointerProperty(type=RemodiffuseRetarget, override=_OVERRIDABLE)  # pyright: ignore[reportAttributeAccessIssue] ours


def detach() -> None:
    del bpy.types.Object.remodiffuse_retarget  # pyright: ignore[reportAttributeAccessIssue] ours


def get(armature: bpy.types.Object) -> RemodiffuseRetarget:
    return armature.remodiffuse_retarget  # pyright: ignore[reportAttributeAccessIssue] ours


def options(armature: bpy.types.Object) -> Options:
    chosen: Any = get(armature)
    return Options(
        travel=Travel(chosen.travel),
        start=Start(chosen.start),
        stride=chosen.stride,
        vertical=chosen.vertical,
        foot_lock=chosen.foot_lock,
        limbs=Limbs(chosen.limbs),
        fingers=Fingers(chosen.fingers),
    )
