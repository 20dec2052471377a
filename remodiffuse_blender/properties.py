# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scene remembers: the request, the takes under review, and how they are put on the timeline.

Nothing in here is ever run or opened.
"""

from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from . import hooks
from .shared import MAX_COUNT, MAX_SECONDS, MIN_SECONDS

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class RemodiffuseReference(bpy.types.PropertyGroup):
    """A clip that guided a take, as far as people read about it."""

    clip: IntProperty(name="Clip", description="Number of the clip in its library")
    caption: StringProperty(name="Caption")
    score: FloatProperty(name="Score")
    library: StringProperty(name="Library")
    source: StringProperty(name="Source")
    licence: StringProperty(name="Licence")


class RemodiffuseChoice(bpy.types.PropertyGroup):
    """What the animator decided about a clip of a library: it is always used, or never."""

    library: StringProperty(name="Library")
    clip: IntProperty(name="Clip")
    caption: StringProperty(name="Caption")
    banned: BoolProperty(name="Never Use")


class RemodiffuseTake(bpy.types.PropertyGroup):
    """A take under review. `frame` holds all of it, as it came over the wire; the rest is for the eye."""

    frame: StringProperty(options={"HIDDEN"})
    prompt: StringProperty(name="Prompt")
    seconds: FloatProperty(name="Seconds")
    seed: IntProperty(name="Seed")
    slide: FloatProperty(
        name="Foot Slide", description="How fast feet move along the floor while they stand, in centimetres a second"
    )
    difference: FloatProperty(
        name="Difference",
        description="Mean distance of the joints from the first take of its request, or from the motion that it was "
        "made from, in centimetres",
    )
    edited: BoolProperty(name="Edited", description="The take was made from another motion")
    starred: BoolProperty(name="Star", description="Mark a take that you like. Rejecting keeps it in the list")
    accepted: BoolProperty(name="Accepted", description="An action was made of this take")
    references: CollectionProperty(type=RemodiffuseReference)


def _listen(_group: object, context: bpy.types.Context) -> None:
    hooks.prompt_typed(context)


class RemodiffusePrompt(bpy.types.PropertyGroup):
    """A prompt that follows the first one."""

    prompt: StringProperty(
        name="Prompt", description="What the character does next, without a break. Enter generates", update=_listen
    )
    seconds: FloatProperty(
        name="Seconds",
        description="Length of this part",
        default=3.0,
        min=0.0,
        max=3600.0,
        soft_min=MIN_SECONDS,
        soft_max=MAX_SECONDS,
        precision=1,
        step=10,
    )


class RemodiffuseResample(bpy.types.PropertyGroup):
    """What of a motion is made anew."""

    strength: FloatProperty(
        name="Wilder",
        description="How far the new takes may go from the old one: low stays close, 1 makes it afresh",
        default=0.5,
        min=0.02,
        max=1.0,
        subtype="FACTOR",
    )
    use_range: BoolProperty(name="Only Frames", description="Change only these frames of the timeline")
    start: IntProperty(name="Start", description="First frame that may change", default=1)
    end: IntProperty(name="End", description="Last frame that may change", default=40)
    use_parts: BoolProperty(name="Only Body Parts", description="Change only these parts of the body")
    parts: EnumProperty(
        name="Body Parts",
        description="Parts of the body that may change",
        options={"ENUM_FLAG"},
        items=(
            ("LEFT_ARM", "Left Arm", "Left collar, shoulder, elbow and wrist"),
            ("RIGHT_ARM", "Right Arm", "Right collar, shoulder, elbow and wrist"),
            ("LEFT_LEG", "Left Leg", "Left hip, knee, ankle and toes"),
            ("RIGHT_LEG", "Right Leg", "Right hip, knee, ankle and toes"),
            ("TORSO", "Torso", "Spine"),
            ("HEAD", "Head", "Neck and head"),
        ),
        default={"LEFT_ARM", "RIGHT_ARM"},
    )
    prompt: StringProperty(
        name="Other Prompt", description="Another prompt for what is made anew; empty: the prompt of the motion itself"
    )


class RemodiffuseReview(bpy.types.PropertyGroup):
    """What the preview of the active take covers up; all of it comes back when the preview ends."""

    armature: PointerProperty(type=bpy.types.Object)
    action: PointerProperty(type=bpy.types.Action)
    preview: PointerProperty(type=bpy.types.Action)
    before: StringProperty(options={"HIDDEN"})
    clip: StringProperty(options={"HIDDEN"})
    """Which clip of which library is shown, where it is no take."""


def _show_active(group: Any, context: bpy.types.Context) -> None:  # noqa: ANN401 - a group of a scene's properties
    hooks.preview_changed(group.id_data, context)


class RemodiffuseInsert(bpy.types.PropertyGroup):
    """Where an accepted take goes."""

    place: EnumProperty(
        name="At",
        description="Where on the timeline the motion begins",
        items=(
            ("FRAME", "Frame", "Begin at the frame below: at first where the playhead was"),
            ("END", "End of Animation", "Begin after the last key or strip of the armature"),
            ("RANGE", "Preview Range", "Replace what is in the preview range (P in the timeline sets it)"),
        ),
        update=_show_active,
    )
    frame: FloatProperty(
        name="Frame",
        description="The frame at which the motion begins; it may lie between two frames",
        default=1.0,
        precision=2,
        step=100,
        update=_show_active,
    )
    into: EnumProperty(
        name="As",
        description="What the motion becomes",
        items=(
            ("ACTION", "New Action", "A new action on the armature. The old action stays in the file"),
            ("STRIP", "NLA Strip", "A strip on a track of its own. The active action goes to a track below it"),
            ("MERGE", "Keys in Action", "Keys in the active action. Its keys outside of the range stay as they are"),
        ),
        update=_show_active,
    )
    continues: BoolProperty(
        name="Continue from Pose",
        description="Move and turn the motion so that it goes on from where the character stands and faces",
        default=True,
        update=_show_active,
    )
    blend_in: IntProperty(
        name="Blend In",
        description="Frames in which the pose before fades into the motion; for strips and merged keys",
        default=6,
        min=0,
        soft_max=30,
        max=1000,
        update=_show_active,
    )
    blend_out: IntProperty(
        name="Blend Out",
        description="Frames in which the motion fades into the pose that comes after it; for strips and merged keys",
        default=0,
        min=0,
        soft_max=30,
        max=1000,
        update=_show_active,
    )
    loop: BoolProperty(
        name="Loop to Fill",
        description="Repeat the motion's best cycle until the preview range is full, or for the seconds below",
        update=_show_active,
    )
    loop_seconds: FloatProperty(
        name="Loop Seconds",
        description="Length of the looped motion where no preview range is filled",
        default=10.0,
        min=1.0,
        max=600.0,
        update=_show_active,
    )
    in_place: BoolProperty(
        name="In Place",
        description="Without the way along the ground; sway and steps stay. "
        "Switch In Place under Retargeting brings it back at any time",
        update=_show_active,
    )
    keys: EnumProperty(
        name="Keys",
        description="How many keys the motion gets",
        items=(
            ("EVERY", "Every Frame", "A key on every frame: exactly the motion"),
            ("SPARSE", "Few", "As few keys as the tolerance allows: curves that can be edited by hand"),
        ),
    )
    tolerance: FloatProperty(
        name="Tolerance",
        description="How far off rotations may be between keys, in degrees",
        default=0.5,
        min=0.01,
        max=45.0,
        soft_max=5.0,
    )
    location_tolerance: FloatProperty(
        name="Location Tolerance",
        description="How far off locations may be between keys, in metres of a person of usual size",
        default=0.005,
        min=0.0001,
        max=1.0,
        soft_max=0.05,
        precision=4,
        step=0.1,
    )
    interpolation: EnumProperty(
        name="Interpolation",
        description="What curves do between keys",
        items=(("LINEAR", "Linear", "Straight lines"), ("BEZIER", "Bezier", "Smooth curves with handles")),
    )
    as_asset: BoolProperty(
        name="Mark as Asset", description="Show the action in the Asset Browser, with a preview picture and tags"
    )


class RemodiffuseSettings(bpy.types.PropertyGroup):
    prompt: StringProperty(
        name="Prompt",
        description="What the character does, in English: one motion in a sentence. Enter generates",
        update=_listen,
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
    seed_locked: BoolProperty(
        name="Lock Seed",
        description="Keep the seed: generating again gives the same takes. Unlocked, the next ones are made",
        default=True,
    )
    count: IntProperty(
        name="Takes",
        description="How many variations are made at once: this seed and the next ones",
        default=1,
        min=1,
        max=MAX_COUNT,
        soft_max=8,
    )
    row: CollectionProperty(
        type=RemodiffusePrompt,
        name="Then",
        description="Prompts that follow in one continuous motion; the joins are generated too",
    )
    quality: EnumProperty(
        name="Quality",
        description="How carefully a motion is sampled",
        items=(
            ("full", "Full", "As the model was made for"),
            ("fast", "Fast", "Fewer steps: sooner there, a little coarser"),
        ),
    )
    balance: FloatProperty(
        name="Text or References",
        description="Follow the text more closely (-1) or the reference clips (1)",
        default=0.0,
        min=-1.0,
        max=1.0,
    )
    scale: FloatProperty(
        name="Mixture Scale",
        description="How strongly prompt and references pull: 1 as the model was made for, 0 lets go, 2 exaggerates",
        default=1.0,
        min=0.0,
        max=4.0,
        soft_max=2.0,
    )
    takes: CollectionProperty(type=RemodiffuseTake)
    active_take: IntProperty(name="Active Take", description="The take that plays on the armature", update=_show_active)
    show_preview: BoolProperty(
        name="Play on Armature",
        description="Play the active take on the armature. Reject brings back what was there before",
        default=True,
        update=_show_active,
    )
    review: PointerProperty(type=RemodiffuseReview)
    insert: PointerProperty(type=RemodiffuseInsert)
    resample: PointerProperty(type=RemodiffuseResample)
    choices: CollectionProperty(type=RemodiffuseChoice)


def _search(_group: object, context: bpy.types.Context) -> None:
    hooks.search_changed(context)


class RemodiffuseFound(bpy.types.PropertyGroup):
    """A clip that a search of the library found."""

    clip: IntProperty(name="Clip", description="Number of the clip in its library")
    caption: StringProperty(name="Caption", description="What the clip shows")
    score: FloatProperty(name="Score", description="How well it fits what was searched for")
    library: StringProperty(name="Library", description="Name of the clip's library")
    source: StringProperty(name="Source", description="Where the clip comes from")
    licence: StringProperty(name="Licence", description="Under which licence the clip may be used")
    seconds: FloatProperty(name="Seconds", description="Length of the clip")


class RemodiffuseLibrary(bpy.types.PropertyGroup):
    """What the library panel shows; it belongs to the window, not to the file."""

    text: StringProperty(
        name="Search",
        description="Find clips of all libraries by what they show; empty: your own newest clips",
        options={"TEXTEDIT_UPDATE"},
        update=_search,
    )
    found: CollectionProperty(type=RemodiffuseFound)
    active: IntProperty(name="Clip", description="The clip that the buttons below are for")
    caption: StringProperty(name="Caption", description="What the active action shows, in a sentence")
    licence: StringProperty(
        name="Licence",
        description="Licence of what you add; of generated motions it is the model's",
        default="own work",
    )


CLASSES = (
    RemodiffuseReference,
    RemodiffuseFound,
    RemodiffuseLibrary,
    RemodiffuseChoice,
    RemodiffuseTake,
    RemodiffusePrompt,
    RemodiffuseResample,
    RemodiffuseReview,
    RemodiffuseInsert,
    RemodiffuseSettings,
)


def attach() -> None:
    bpy.types.Scene.remodiffuse = PointerProperty(type=RemodiffuseSettings)  # pyright: ignore[reportAttributeAccessIssue] ours
    bpy.types.WindowManager.remodiffuse_library = PointerProperty(type=RemodiffuseLibrary)  # pyright: ignore[reportAttributeAccessIssue] ours


def detach() -> None:
    del bpy.types.WindowManager.remodiffuse_library  # pyright: ignore[reportAttributeAccessIssue] ours
    del bpy.types.Scene.remodiffuse  # pyright: ignore[reportAttributeAccessIssue] ours


def get(context: bpy.types.Context) -> RemodiffuseSettings:
    return context.scene.remodiffuse


def of(scene: bpy.types.Scene) -> RemodiffuseSettings:
    return scene.remodiffuse  # pyright: ignore[reportAttributeAccessIssue] ours


def library(context: bpy.types.Context) -> RemodiffuseLibrary:
    return context.window_manager.remodiffuse_library  # pyright: ignore[reportAttributeAccessIssue] ours
