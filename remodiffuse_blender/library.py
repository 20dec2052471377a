# SPDX-License-Identifier: GPL-3.0-or-later
"""The motion library in the sidebar: search as you type, play a clip, add, import, remove, share.

The backend keeps the libraries; here are the questions that are on their way and what is done with the answers.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import bpy

from . import (
    backend_choice,
    beneath,
    bvh_clips,
    capture,
    insert,
    preferences,
    preview,
    properties,
    resample,
    review,
    steps,
    takes,
    target,
)
from .shared import MAX_SECONDS, MIN_SECONDS, BackendError, Provenance, Take, skeleton
from .shared import library_messages as messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from .client.job import Inquiry
    from .shared import Motion

    Done = Callable[[messages.Answer], None]

FOUND: Final = 20
OWN: Final = "own"
OWN_WORK: Final = "own work"
WAIT_INTERVAL_SECONDS: Final = 0.005


@dataclass
class Desk:
    """What is known of the libraries, and what was asked; nothing of it is saved."""

    libraries: tuple[messages.Shown, ...] = ()
    asked: Inquiry | None = None
    done: Done | None = None
    wanted: messages.Question | None = None
    """A search that waits until the question before it is answered: of several only the newest."""
    answered: messages.Question | None = None
    """The search whose results are shown."""
    error: BackendError | None = None
    note: str = ""
    importing: Import | None = None
    tasks: list[tuple[messages.Question, Done]] = field(default_factory=list)
    """Questions that wait in line."""


class Import(threading.Thread):
    """Reads a folder of BVH files beside Blender's main thread: numpy and files only, never bpy."""

    def __init__(self, files: list[bvh_clips.Described]) -> None:
        super().__init__(name="remodiffuse-import", daemon=True)
        self.files = files
        self.read = self.added = 0
        self.problems: list[str] = []
        self.clips: queue.Queue[tuple[bvh_clips.Described, Motion]] = queue.Queue(maxsize=4)
        self.stopped = threading.Event()

    def run(self) -> None:
        for described in self.files:
            try:
                for motion in bvh_clips.read_clips(described.path):
                    self._put(described, motion)
            except BackendError as error:
                self.problems.append(f"{described.path.name}: {error}")
            self.read += 1
            if self.stopped.is_set():
                return

    def _put(self, described: bvh_clips.Described, motion: Motion) -> None:
        while not self.stopped.is_set():
            try:
                self.clips.put((described, motion), timeout=0.1)
            except queue.Full:
                continue
            return

    @property
    def over(self) -> bool:
        return not self.is_alive() and self.clips.empty()


desk: Final = Desk()


# Checks


def check(context: bpy.types.Context) -> None:
    backend_choice.check(context)


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


def check_play(context: bpy.types.Context) -> None:
    check(context)
    armature = target.armature(context)
    target.bone_map(armature)
    preview.check(armature)


def check_stop(context: bpy.types.Context) -> None:
    if not properties.get(context).review.clip:
        raise BackendError("not_playing", "No clip is being played.", "Play one first.")


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


def check_import(context: bpy.types.Context) -> None:
    check(context)
    if desk.importing:
        raise BackendError("busy", "A folder is being imported.", "Wait for it, or press Cancel.")


def check_importing(context: bpy.types.Context) -> None:
    if not desk.importing:
        raise BackendError("not_running", "Nothing is being imported.", "Nothing needs to be done.")


def check_save(context: bpy.types.Context) -> None:
    check(context)
    if desk.libraries and not is_own(OWN):
        raise BackendError("no_libraries", "You have no library of your own yet.", "Add a clip first.")


def is_own(name: str) -> bool:
    return any(each.own and each.name == name for each in desk.libraries)


def chosen(context: bpy.types.Context) -> Any:  # noqa: ANN401 - an entry of the list, or None
    state = properties.library(context)
    return state.found[state.active] if 0 <= state.active < len(state.found) else None


# Questions


def search(context: bpy.types.Context) -> None:
    """Looks for what stands in the search field; while a question is on its way the newest text waits for it."""
    check(context)
    text = properties.library(context).text.strip()
    seconds = min(max(properties.get(context).seconds, MIN_SECONDS), MAX_SECONDS)
    desk.wanted = messages.Question("search", text=text, seconds=round(seconds, 3), count=FOUND)
    _next(context)


def follow(context: bpy.types.Context) -> None:
    """The search text has changed."""
    try:
        search(context)
    except BackendError as error:
        desk.error = error


def play(context: bpy.types.Context, library: str, clip: int, caption: str) -> None:
    """Shows a clip on the active armature. Nothing is changed for good: see `stop`."""
    check_play(context)
    scene, armature = context.scene.session_uid, target.armature(context).session_uid

    def show(answer: messages.Answer) -> None:
        if answer.motion:
            _show(answer.motion, caption, name_of(library, clip), scene, armature)

    _ask(context, messages.Question("clip", library=library, clip=clip), show)


def stop(context: bpy.types.Context) -> None:
    """The armature does again what it did before; a take under review plays again."""
    check_stop(context)
    preview.end(context.scene)
    review.follow(context.scene, context)


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
    _ask(context, question, note, look_again=True)


def remove(context: bpy.types.Context) -> None:
    """Deletes the chosen clip from its library; what was made with it stays."""
    check_chosen(context)
    item = chosen(context)
    library, clip, caption = item.library, item.clip, item.caption
    choices: Any = properties.get(context).choices
    for index in reversed(range(len(choices))):
        if (choices[index].library, choices[index].clip) == (library, clip):
            choices.remove(index)
    _ask(
        context, messages.Question("remove", library=library, clip=clip), _noted(f"Removed: {caption}"), look_again=True
    )


def load(context: bpy.types.Context, path: str) -> None:
    """Copies a library file into one's own folder."""
    check(context)
    _ask(context, messages.Question("load", path=path), _noted(f"Loaded: {Path(path).name}"), look_again=True)


def save(context: bpy.types.Context, path: str, library: str = OWN) -> None:
    """Writes a library of one's own to a file that can be shared."""
    check_save(context)
    _ask(context, messages.Question("save", path=path, library=library), _noted(f"Saved: {Path(path).name}"))


def unload(context: bpy.types.Context, library: str) -> None:
    """Takes a loaded library out; the file that it was loaded from stays."""
    check(context)
    _ask(context, messages.Question("unload", library=library), _noted(f"Taken out: {library}"), look_again=True)


def start_import(context: bpy.types.Context, folder: str, licence: str) -> None:
    """Reads the BVH files that captions.csv of a folder describes into one's own library, one after the other."""
    check_import(context)
    files = bvh_clips.read_table(Path(folder), licence.strip())
    desk.error, desk.note = None, ""
    desk.importing = Import(files)
    desk.importing.start()
    takes.pump.start()


def cancel_import() -> None:
    """Clips that were added already stay."""
    if desk.importing:
        desk.importing.stopped.set()
        _end_import(f"Cancelled after {desk.importing.added} clips.")


def _noted(text: str) -> Done:
    def note(_: messages.Answer) -> None:
        desk.note = text

    return note


def _ask(context: bpy.types.Context, question: messages.Question, done: Done, *, look_again: bool = False) -> None:
    desk.error, desk.note = None, ""

    def finish(answer: messages.Answer) -> None:
        done(answer)
        if look_again and desk.answered:
            desk.wanted = desk.answered

    desk.tasks.append((question, finish))
    _next(context)


def _next(context: bpy.types.Context) -> None:
    """Sends the next question where none is on its way."""
    if desk.asked:
        return
    if desk.tasks:
        question, desk.done = desk.tasks.pop(0)
    elif desk.wanted:
        question, desk.wanted, desk.done = desk.wanted, None, _list
    else:
        return
    model = preferences.get(context).model.strip()
    try:
        desk.asked = takes.session.client.ask(question, backend_choice.command(context), model)
    except BackendError as error:
        desk.error = error
        raise
    takes.pump.start()


# Answers


def update() -> bool:
    """What the timer does, after the client took in what arrived. Returns whether anything changed."""
    changed = False
    inquiry = desk.asked
    if inquiry and inquiry.over:
        desk.asked, done = None, desk.done
        desk.error = inquiry.error
        if inquiry.answer and done:
            desk.libraries = inquiry.answer.libraries
            try:
                done(inquiry.answer)
                if inquiry.question.verb == "search":
                    desk.answered = inquiry.question
            except BackendError as error:
                desk.error = error
        changed = True
    changed = _feed() or changed
    if not desk.asked and (desk.tasks or desk.wanted):
        try:
            _next(bpy.context)
        except BackendError as error:
            desk.error = error
            desk.tasks.clear()
            desk.wanted = None
    return changed


def busy() -> bool:
    return bool(desk.asked or desk.tasks or desk.wanted or desk.importing)


def wait(timeout_seconds: float = 120.0) -> None:
    """For scripts: blocks until every question has its answer. Raises `BackendError` where the last one failed."""
    deadline = time.monotonic() + timeout_seconds
    while busy():
        if time.monotonic() > deadline:
            raise BackendError("timeout", "The library gave no answer.", "Wait longer, or restart the backend.")
        if not takes.update():
            time.sleep(WAIT_INTERVAL_SECONDS)
    if desk.error:
        raise desk.error


def _feed() -> bool:
    """Hands the next clip of an import to the backend."""
    work = desk.importing
    if work is None or desk.asked or desk.tasks:
        return False
    try:
        described, motion = work.clips.get_nowait()
    except queue.Empty:
        if not work.over:
            return True
        added, files, failed = work.added, len(work.files), work.problems
        if failed:
            _end_import(f"Imported {added} clips of {files} files. {len(failed)} failed: {failed[0]}")
        else:
            _end_import(f"Imported {added} clips of {files} files.")
        return True

    def count(_: messages.Answer) -> None:
        work.added += 1

    question = messages.Question(
        "add", captions=described.captions, source=described.source, licence=described.licence, motion=motion
    )
    desk.tasks.append((question, count))
    return True


def _end_import(note: str) -> None:
    desk.importing, desk.note = None, note
    if desk.answered:
        desk.wanted = desk.answered


def _list(answer: messages.Answer) -> None:
    state: Any = properties.library(bpy.context)
    state.found.clear()
    for reference in answer.found:
        item = state.found.add()
        for name in ("clip", "caption", "score", "library", "source", "licence"):
            setattr(item, name, getattr(reference, name))
        item.seconds = reference.frames / skeleton.FPS
    state.active = min(state.active, max(len(state.found) - 1, 0))


def name_of(library: str, clip: int) -> str:
    """What `playing` says of a clip."""
    return f"{library} {clip}"


def playing(scene: bpy.types.Scene) -> str:
    """Which clip is being played; "" for none."""
    return properties.of(scene).review.clip


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


def end() -> None:
    """The add-on is being disabled, or Blender ends."""
    if desk.importing:
        desk.importing.stopped.set()
        desk.importing.join(2.0)
    desk.importing, desk.asked, desk.wanted, desk.error, desk.note = None, None, None, None, ""
    desk.tasks.clear()
