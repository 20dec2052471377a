# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips of one's own: added from the active action, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .. import capture, preview, properties, resample, target
from ..shared import MAX_SECONDS, MIN_SECONDS, BackendError, skeleton
from ..shared import library_messages as messages
from .questions import ask, check, desk, is_own, noted
from .searching import chosen

if TYPE_CHECKING:
    import bpy

OWN_WORK: Final = "own work"


def check_add(context: bpy.types.Context) -> None:
    check(context)
    armature = target.armature(context)
    target.bone_map(armature)
    if preview.running(context.scene):
        raise BackendError("previewing", "A take or clip is only being shown.", "Accept or reject it first.")
    if not (armature.animation_data and armature.animation_data.action):
        raise BackendError("no_action", f"{armature.name} has no active action.", "Animate it, or accept a take.")
    if not properties.library(context).caption.strip():
        raise BackendError("no_caption", "The caption is empty.", "Say in a sentence what the person does.")


def check_chosen(context: bpy.types.Context) -> None:
    """Whether a clip of an own library is chosen in the list."""
    check(context)
    item = chosen(context)
    if item is None:
        raise BackendError("no_clip", "No clip is chosen.", "Search, and click on one of the clips.")
    if not is_own(item.library):
        raise BackendError(
            "library_not_own", f"The library {item.library} is not one of your own.", "Ban the clip instead."
        )


def add(context: bpy.types.Context) -> None:
    """Adds what the active action does, within the preview range if there is one, as a clip of one's own library."""
    check_add(context)
    armature, scene, state = target.armature(context), context.scene, properties.library(context)
    start, end = armature.animation_data.action.frame_range  # pyright: ignore[reportOptionalMemberAccess]  see check_add
    if scene.use_preview_range:
        start, end = max(start, scene.frame_preview_start), min(end, scene.frame_preview_end)
    seconds = (end - start) * scene.render.fps_base / scene.render.fps
    if not MIN_SECONDS <= seconds + 1.0 / skeleton.FPS <= MAX_SECONDS + 1.0 / skeleton.FPS:
        raise BackendError(
            "bad_clip",
            f"A clip of {max(seconds, 0.0):.1f} seconds cannot be added.",
            f"Set a preview range of {MIN_SECONDS:g} to {MAX_SECONDS:g} seconds (P in the timeline).",
        )
    motion = capture.between(armature, context, start, end)
    origin = resample.origin(armature) or {}
    licence = str(origin.get("licence") or state.licence.strip() or OWN_WORK)
    source = f"sampled by {origin['model']}" if "model" in origin else f"{OWN_WORK}: {armature.name}"
    caption = state.caption.strip()

    def note(_: messages.Answer) -> None:
        desk.note = f"Added: {caption}"
        state.caption = ""

    question = messages.Question("add", captions=(caption,), source=source, licence=licence, motion=motion)
    ask(context, question, note, look_again=True)


def remove(context: bpy.types.Context) -> None:
    """Deletes the chosen clip from its library; what was made with it stays."""
    check_chosen(context)
    item = chosen(context)
    library, clip, caption = item.library, item.clip, item.caption
    choices: Any = properties.get(context).choices
    for index in reversed(range(len(choices))):
        if (choices[index].library, choices[index].clip) == (library, clip):
            choices.remove(index)
    ask(context, messages.Question("remove", library=library, clip=clip), noted(f"Removed: {caption}"), look_again=True)
