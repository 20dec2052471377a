# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes have come. What the list says of them and what the first one means for the armature is worked out beside
Blender's main thread; then it goes into the file in one go.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
from bpy.app.handlers import persistent

from . import insert, preview, properties, review, target
from .shared import BackendError, contacts, protocol
from .steps import Steps

if TYPE_CHECKING:
    from .rig.channels import Channels
    from .shared import Motion, Take
    from .steps import Work

_epoch: int = 0
"""Changes whenever undo or another file has replaced all that Blender holds."""


@dataclass(frozen=True)
class Entry:
    """What the list says of a take."""

    frame: str
    """All of it, as it came over the wire."""
    slide: float
    difference: float


class Arrival:
    """`advance` again and again until it returns True."""

    def __init__(
        self,
        takes: list[Take],
        scene_uid: int,
        armature_uid: int,
        frame: float | None = None,
        source: Motion | None = None,
    ) -> None:
        """Takes for the scene that asked for them, of which the first one is to play on the armature, from `frame` on
        (the playhead, unless given). `source` is the motion that they were made from, if any.
        """
        self._takes, self._source = takes, source
        self._scene_uid, self._armature_uid = scene_uid, armature_uid
        self._frame = frame
        self._entries: list[Entry] = []
        self._listed = False
        self._restart()

    def _restart(self) -> None:
        self._epoch = _epoch
        self._steps = Steps(self._receiving())

    def advance(self) -> bool:
        """One short step; returns whether all is done. Raises `BackendError` where the scene is gone."""
        if self._epoch != _epoch:
            self._restart()
        try:
            return self._steps.advance()
        except ReferenceError:
            # The animator has deleted the scene or the armature meanwhile.
            self._restart()
            return False

    def _receiving(self) -> Work[None]:
        self._entries = self._entries or (yield self._described)
        scene = self._scene()
        if not (self._listed and self._still_listed(scene)):
            kept = properties.of(scene).insert.frame if preview.running(scene) else scene.frame_current_final
            begin = kept if self._frame is None else self._frame
            armature = self._armature()
            solved = None
            if armature and properties.of(scene).show_preview and bpy.context.scene == scene:
                solved = yield from self._solving(scene, armature, begin)
            self._list(scene, begin)
            if armature and solved:
                review.show(scene, armature, solved[0], self._name(self._takes[0]), solved[1])
            elif armature:
                preview.end(scene)
            yield None
        # Without a step of its own, undoing the next action would take the takes away with it.
        bpy.ops.ed.undo_push(message="ReMoDiffuse Takes")

    def _described(self) -> list[Entry]:
        base = self._source or self._takes[0].motion
        return [_entry(take, base) for take in self._takes]

    def _solving(
        self, scene: bpy.types.Scene, armature: bpy.types.Object, begin: float
    ) -> Work[tuple[Channels, float] | None]:
        """The first take as channels of the armature, and the frame at which it starts."""
        while True:
            wanted = insert.wishes(scene)
            start = insert.start_of(scene, armature, begin)
            try:
                target.bone_map(armature)
                preview.check(armature)
                channels = yield from insert.solving(bpy.context, armature, self._takes[0], start)
            except BackendError:
                # The list says what there is; Accept says why it cannot be used on this armature.
                return None
            if insert.wishes(scene) == wanted:
                return channels, start

    def _list(self, scene: bpy.types.Scene, begin: float) -> None:
        settings: Any = properties.of(scene)
        if not settings.seed_locked:
            settings.seed = self._takes[-1].provenance.seed + 1
        for take, entry in zip(self._takes, self._entries, strict=True):
            item = settings.takes.add()
            origin = take.provenance
            item.name, item.edited = self._name(take), self._source is not None
            item.prompt, item.seconds, item.seed = origin.prompt, origin.seconds, origin.seed
            item.frame, item.slide, item.difference = entry.frame, entry.slide, entry.difference
            for reference in origin.references:
                shown = item.references.add()
                for name in ("clip", "caption", "score", "library", "source", "licence"):
                    setattr(shown, name, getattr(reference, name))
        with review.quietly():
            settings.insert.frame = begin
            settings.active_take = len(settings.takes) - len(self._takes)
        self._listed = True

    def _still_listed(self, scene: bpy.types.Scene) -> bool:
        """Whether an undo has left the takes in the list: in some modes it has to do with other things alone."""
        frames = [each.frame for each in properties.of(scene).takes]
        return frames[-len(self._entries) :] == [each.frame for each in self._entries]

    def _scene(self) -> bpy.types.Scene:
        scene = next((scene for scene in bpy.data.scenes if scene.session_uid == self._scene_uid), None)
        if scene is None:
            raise BackendError(
                "scene_gone", "The takes came for a scene that is no longer open.", "Generate again here."
            )
        return scene

    def _armature(self) -> bpy.types.Object | None:
        return next((each for each in bpy.data.objects if each.session_uid == self._armature_uid), None)

    @staticmethod
    def _name(take: Take) -> str:
        return f"{take.provenance.prompt} #{take.provenance.seed}"


def _entry(take: Take, base: Motion) -> Entry:
    motion = take.motion
    frames = min(motion.frames, base.frames)
    apart = motion.positions[:frames] - base.positions[:frames]
    return Entry(
        base64.b64encode(protocol.encode_take(0, 0, take)).decode(),
        100.0 * contacts.foot_slide(motion.positions, motion.contacts, motion.fps),
        100.0 * float(np.linalg.norm(apart, axis=-1).mean()),
    )


@persistent
def _all_is_other(*_: object) -> None:
    global _epoch  # noqa: PLW0603
    _epoch += 1


def attach() -> None:
    for handlers in (bpy.app.handlers.undo_post, bpy.app.handlers.redo_post, bpy.app.handlers.load_post):
        handlers.append(_all_is_other)


def detach() -> None:
    for handlers in (bpy.app.handlers.undo_post, bpy.app.handlers.redo_post, bpy.app.handlers.load_post):
        handlers.remove(_all_is_other)
