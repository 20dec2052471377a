# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes under review: they come into a list, the active one plays on the armature, starred ones stay."""

from __future__ import annotations

import base64
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import bpy

from . import beneath, insert, preview, properties, steps, target
from .shared import BackendError, Take, protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .properties import RemodiffuseTake
    from .rig.channels import Channels

_following: bool = False
"""Whether the preview is being changed: setting the active take must not do it once more."""


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
    start = insert.start_of(context.scene, armature)
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
    with quietly():
        properties.of(scene).active_take = index
    if armature is not None:
        _play(scene, armature)


@contextmanager
def quietly() -> Iterator[None]:
    """Properties set within do not change the preview by themselves."""
    global _following  # noqa: PLW0603  Blender calls back from within the assignment
    _following = True
    try:
        yield
    finally:
        _following = False


def _play(scene: bpy.types.Scene, armature: bpy.types.Object | None) -> None:
    """Plays the active take in place of what is shown now; nothing where it is not wanted or cannot be."""
    settings: Any = properties.of(scene)
    wanted = settings.show_preview and 0 <= settings.active_take < len(settings.takes)
    if armature is None or not wanted or bpy.context.scene != scene:
        preview.end(scene)
        return
    item = settings.takes[settings.active_take]
    try:
        take = unpack(item)
        preview.check(armature)
        start = insert.start_of(scene, armature)
        channels = steps.at_once(insert.solving(bpy.context, armature, take, start))
    except BackendError:
        # The list says what there is; Accept says why it cannot be used on this armature.
        preview.end(scene)
        return
    show(scene, armature, channels, item.name, start)


def show(scene: bpy.types.Scene, armature: bpy.types.Object, channels: Channels, name: str, start: float) -> None:
    """Plays the channels of a take of that name on the armature, with the playhead where one sees it."""
    # Takes are compared at the same moment; and one that begins elsewhere would seem to have taken the character away.
    here = scene.frame_current
    preview.show(scene, armature, channels, f"Preview of {name}", start)
    beneath.keep(scene)
    first, last = scene.frame_preview_start, scene.frame_preview_end
    here = here if first <= here <= last else first
    if here != scene.frame_current:
        scene.frame_set(here)
