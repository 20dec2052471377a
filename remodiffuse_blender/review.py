# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes under review: they come into a list, the active one plays on the armature, starred ones stay."""

from __future__ import annotations

import base64
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

from . import insert, preview, properties, target
from .shared import BackendError, Motion, Take, contacts, protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .properties import RemodiffuseTake

_following: bool = False
"""Whether the preview is being changed: setting the active take must not do it once more."""


def receive(
    takes: list[Take], scene_uid: int, armature_uid: int, frame: float | None = None, source: Motion | None = None
) -> None:
    """Lists takes for the scene that asked for them and plays the first of them on the armature, from `frame` on (the
    playhead, unless given). `source` is the motion that they were made from, if any.

    Raises `BackendError` where the scene is gone.
    """
    scene = next((scene for scene in bpy.data.scenes if scene.session_uid == scene_uid), None)
    if scene is None:
        raise BackendError("scene_gone", "The takes came for a scene that is no longer open.", "Generate again here.")
    settings: Any = properties.of(scene)
    if frame is not None or not preview.running(scene):
        with _quietly():
            settings.insert.frame = scene.frame_current_final if frame is None else frame
    if not settings.seed_locked:
        settings.seed = takes[-1].provenance.seed + 1
    for take in takes:
        _list(settings.takes.add(), take, source or takes[0].motion, edited=source is not None)
    armature = next((each for each in bpy.data.objects if each.session_uid == armature_uid), None)
    _activate(scene, len(settings.takes) - len(takes), armature)
    # Without a step of its own, undoing the next action would take the takes away with it.
    bpy.ops.ed.undo_push(message="ReMoDiffuse Takes")


def _list(item: RemodiffuseTake, take: Take, base: Motion, *, edited: bool) -> None:
    origin, motion = take.provenance, take.motion
    item.name = f"{origin.prompt} #{origin.seed}"
    item.frame = base64.b64encode(protocol.encode_take(0, 0, take)).decode()
    item.prompt, item.seconds, item.seed = origin.prompt, origin.seconds, origin.seed
    item.slide = 100.0 * contacts.foot_slide(motion.positions, motion.contacts, motion.fps)
    frames = min(motion.frames, base.frames)
    apart = motion.positions[:frames] - base.positions[:frames]
    item.edited = edited
    item.difference = 100.0 * float(np.linalg.norm(apart, axis=-1).mean())
    for reference in origin.references:
        shown = item.references.add()
        for name in ("clip", "caption", "score", "library", "source", "licence"):
            setattr(shown, name, getattr(reference, name))


def unpack(item: RemodiffuseTake) -> Take:
    """The take of a list entry; a .blend from a stranger is read as strictly as the wire."""
    try:
        frame = protocol.read(io.BytesIO(base64.b64decode(item.frame, validate=True)))
        if frame is None:
            raise protocol.ProtocolError("The entry is empty.")
        return protocol.parse_take(frame)
    except (ValueError, protocol.ProtocolError) as error:
        raise BackendError(
            "bad_take", f"The take {item.name} is damaged: {error}", "Generate it again with its prompt and seed."
        ) from error


def check(context: bpy.types.Context) -> None:
    if not properties.get(context).takes:
        raise BackendError("no_takes", "There are no takes.", "Generate some first.")


def check_accept(context: bpy.types.Context) -> None:
    check(context)
    armature = target.armature(context)
    target.bone_map(armature)
    preview.check(armature)
    insert.check(context, armature)


def chosen(context: bpy.types.Context, index: int) -> int:
    """The index of a take in the list; a negative one means the active take."""
    settings = properties.get(context)
    index = settings.active_take if index < 0 else index
    if index >= len(settings.takes):
        raise BackendError("no_takes", f"There is no take {index}.", f"There are {len(settings.takes)}.")
    return index


def accept(context: bpy.types.Context, index: int = -1) -> bpy.types.Action:
    """Puts take `index` (the active one if negative) on the timeline of the active armature, as the scene's insert
    settings say. The preview ends first, so that the motion joins what was there before it.
    """
    check_accept(context)
    settings = properties.get(context)
    item = settings.takes[chosen(context, index)]
    take = unpack(item)
    armature = target.armature(context)
    start = insert.start_of(context, armature)
    shown = settings.review.armature
    preview.end(context.scene)
    try:
        action = insert.insert(context, armature, take, start)
    except BackendError:
        _play(context.scene, shown)
        raise
    item.accepted = True
    return action


def reject(context: bpy.types.Context) -> int:
    """Throws away all takes that have no star, and says how many. What was accepted stays."""
    check(context)
    settings: Any = properties.get(context)
    preview.end(context.scene)
    before = len(settings.takes)
    for index in reversed(range(before)):
        if not settings.takes[index].starred:
            settings.takes.remove(index)
    _activate(context.scene, 0, None)
    return before - len(settings.takes)


def remove(context: bpy.types.Context, index: int = -1) -> None:
    """Throws one take away, starred or not."""
    check(context)
    settings: Any = properties.get(context)
    index = chosen(context, index)
    armature = settings.review.armature
    settings.takes.remove(index)
    if not settings.takes:
        preview.end(context.scene)
    _activate(context.scene, max(min(settings.active_take, len(settings.takes) - 1), 0), armature)


def move_to_playhead(context: bpy.types.Context) -> None:
    """The active take begins at the current frame instead."""
    properties.get(context).insert.frame = context.scene.frame_current_final


def flip(context: bpy.types.Context, step: int) -> None:
    """Makes the next (or previous) take the active one, round and round."""
    check(context)
    settings: Any = properties.get(context)
    settings.active_take = (settings.active_take + step) % len(settings.takes)


def star(context: bpy.types.Context, index: int = -1) -> None:
    check(context)
    item: Any = properties.get(context).takes[chosen(context, index)]
    item.starred = not item.starred


def follow(scene: bpy.types.Scene, context: bpy.types.Context) -> None:
    """Makes the preview show the active take, or nothing where it is switched off. For property updates."""
    if _following:
        return
    settings: Any = properties.of(scene)
    active = context.active_object if context.scene == scene else None
    armature = settings.review.armature or (active if active and active.type == "ARMATURE" else None)
    _play(scene, armature)


def _activate(scene: bpy.types.Scene, index: int, armature: bpy.types.Object | None) -> None:
    with _quietly():
        properties.of(scene).active_take = index
    if armature is not None:
        _play(scene, armature)


@contextmanager
def _quietly() -> Iterator[None]:
    """Properties set within do not change the preview by themselves."""
    global _following  # noqa: PLW0603  Blender calls back from within the assignment
    _following = True
    try:
        yield
    finally:
        _following = False


def _play(scene: bpy.types.Scene, armature: bpy.types.Object | None) -> None:
    """Ends the preview that runs and begins one of the active take, if there is one and it is wanted."""
    settings: Any = properties.of(scene)
    here = scene.frame_current if preview.running(scene) else None
    preview.end(scene)
    if armature is None or not settings.show_preview or not 0 <= settings.active_take < len(settings.takes):
        return
    if bpy.context.scene != scene:
        return
    try:
        item = settings.takes[settings.active_take]
        take = unpack(item)
        preview.check(armature)
        start = insert.start_of(bpy.context, armature)
        channels = insert.channels_of(bpy.context, armature, take, start)
        preview.show(scene, armature, channels, f"Preview of {item.name}", start)
    except BackendError:
        # The list says what there is; Accept says why it cannot be used on this armature.
        return
    # Takes are compared at the same moment; and one that begins elsewhere would seem to have taken the character away.
    here = scene.frame_current if here is None else here
    first, last = scene.frame_preview_start, scene.frame_preview_end
    here = here if first <= here <= last else first
    if here != scene.frame_current:
        scene.frame_set(here)
