# SPDX-License-Identifier: GPL-3.0-or-later
"""A clip of a library, shown on the active armature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from .. import beneath, insert, preview, properties, review, steps, target
from ..shared import BackendError, Provenance, Take
from ..shared import library_messages as messages
from .questions import ask, check

if TYPE_CHECKING:
    from ..shared import Motion


def check_play(context: bpy.types.Context) -> None:
    check(context)
    armature = target.armature(context)
    target.bone_map(armature)
    preview.check(armature)


def check_stop(context: bpy.types.Context) -> None:
    if not properties.get(context).review.clip:
        raise BackendError("not_playing", "No clip is being played.", "Play one first.")


def play(context: bpy.types.Context, library: str, clip: int, caption: str) -> None:
    """Shows a clip on the active armature. Nothing is changed for good: see `stop`."""
    check_play(context)
    scene, armature = context.scene.session_uid, target.armature(context).session_uid

    def show(answer: messages.Answer) -> None:
        if answer.motion:
            _show(answer.motion, caption, name_of(library, clip), scene, armature)

    ask(context, messages.Question("clip", library=library, clip=clip), show)


def stop(context: bpy.types.Context) -> None:
    """The armature does again what it did before; a take under review plays again."""
    check_stop(context)
    preview.end(context.scene)
    review.follow(context.scene, context)


def playing(scene: bpy.types.Scene) -> str:
    """Which clip is being played; "" for none."""
    return properties.of(scene).review.clip


def name_of(library: str, clip: int) -> str:
    """What `playing` says of a clip."""
    return f"{library} {clip}"


def _show(motion: Motion, caption: str, clip: str, scene_uid: int, armature_uid: int) -> None:
    scene = next((each for each in bpy.data.scenes if each.session_uid == scene_uid), None)
    armature = next((each for each in bpy.data.objects if each.session_uid == armature_uid), None)
    if scene is None or armature is None or scene != bpy.context.scene:
        raise BackendError("scene_gone", "The clip came for a scene that is no longer open.", "Play it again here.")
    preview.end(scene)
    take = Take(motion, Provenance(caption, motion.seconds, 0, "", "", ""))
    start = scene.frame_current
    channels = steps.at_once(insert.solving(bpy.context, armature, take, start))
    preview.show(scene, armature, channels, f"Preview of {caption}"[:60], start, clip)
    beneath.keep(scene)
    bpy.ops.ed.undo_push(message="ReMoDiffuse Clip")
