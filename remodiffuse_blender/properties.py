# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scene remembers: the request and the takes under review. Nothing in here is ever run or opened."""

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .shared import MAX_COUNT, MAX_SECONDS, MIN_SECONDS

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class RemodiffuseReference(bpy.types.PropertyGroup):
    """A clip that guided a take, as far as people read about it."""

    caption: StringProperty(name="Caption")
    score: FloatProperty(name="Score")
    library: StringProperty(name="Library")
    source: StringProperty(name="Source")
    licence: StringProperty(name="Licence")


class RemodiffuseTake(bpy.types.PropertyGroup):
    """A take under review. `frame` holds all of it, as it came over the wire; the rest is for the eye."""

    frame: StringProperty(options={"HIDDEN"})
    prompt: StringProperty(name="Prompt")
    seconds: FloatProperty(name="Seconds")
    seed: IntProperty(name="Seed")
    accepted: BoolProperty(name="Accepted", description="An action was made of this take")
    references: CollectionProperty(type=RemodiffuseReference)


class RemodiffuseSettings(bpy.types.PropertyGroup):
    prompt: StringProperty(
        name="Prompt",
        description="What the character does, in English: one motion in a sentence",
        options={"TEXTEDIT_UPDATE"},
    )
    # The hard limits are wide: what cannot be generated is refused with a reason instead of silently changed.
    seconds: FloatProperty(
        name="Seconds",
        description=f"Length of the motion, {MIN_SECONDS:g} to {MAX_SECONDS:g} seconds",
        default=4.0,
        min=0.0,
        max=3600.0,
        soft_min=MIN_SECONDS,
        soft_max=MAX_SECONDS,
        precision=1,
        step=10,
    )
    seed: IntProperty(
        name="Seed",
        description="The same prompt, length and seed give the same motion",
        default=1,
        min=0,
        max=2**31 - MAX_COUNT - 1,
    )
    count: IntProperty(
        name="Takes",
        description="How many variations are made at once: this seed and the next ones",
        default=1,
        min=1,
        max=MAX_COUNT,
        soft_max=8,
    )
    takes: CollectionProperty(type=RemodiffuseTake)
    active_take: IntProperty(name="Active Take", description="The take whose references are shown")


CLASSES = (RemodiffuseReference, RemodiffuseTake, RemodiffuseSettings)


def attach() -> None:
    bpy.types.Scene.remodiffuse = PointerProperty(type=RemodiffuseSettings)  # pyright: ignore[reportAttributeAccessIssue] ours


def detach() -> None:
    del bpy.types.Scene.remodiffuse  # pyright: ignore[reportAttributeAccessIssue] ours


def get(context: bpy.types.Context) -> RemodiffuseSettings:
    return context.scene.remodiffuse
