# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions made anew in part: another seed, closer or wilder, only some frames, only some parts of the body, gaps.

The motion is that of the take under review, or whatever plays on the armature: an action of ours from months ago, keys
set by hand, strips.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from . import capture, preview, properties, review, takes, target
from .shared import MAX_COUNT, MAX_FRAMES, BackendError, Canvas, Motion, Request, joining, skeleton

if TYPE_CHECKING:
    import bpy
    from numpy.typing import NDArray

CONTEXT_SECONDS: Final = 1.2
"""What is seen before and after a range."""
LARGEST_SEED: Final = 99_999

_PARTS: Final = {
    "LEFT_ARM": ("left_collar", "left_shoulder", "left_elbow", "left_wrist"),
    "RIGHT_ARM": ("right_collar", "right_shoulder", "right_elbow", "right_wrist"),
    "LEFT_LEG": ("left_hip", "left_knee", "left_ankle", "left_foot"),
    "RIGHT_LEG": ("right_hip", "right_knee", "right_ankle", "right_foot"),
    "TORSO": ("spine1", "spine2", "spine3"),
    "HEAD": ("neck", "head"),
}


def check(context: bpy.types.Context) -> None:
    """Raises `BackendError` where there is nothing to make anew."""
    takes.check_free(context)
    armature = target.armature(context)
    target.bone_map(armature)
    preview.check(armature)
    if not properties.get(context).takes and origin(armature) is None:
        raise BackendError(
            "no_motion",
            f"{armature.name} has no take and no action that was generated.",
            "Generate a motion, or choose an action that was.",
        )


def check_gap(context: bpy.types.Context) -> None:
    takes.check_free(context)
    armature = target.armature(context)
    target.bone_map(armature)
    preview.check(armature)
    if not properties.get(context).prompt.strip():
        raise BackendError("bad_request", "The prompt is empty.", "Say what happens in the gap.")
    if not preview.range_before(context.scene)[0]:
        raise BackendError(
            "no_range", "There is no preview range.", "Drag one over the gap in the timeline after pressing P."
        )


def origin(armature: bpy.types.Object) -> dict[str, Any] | None:
    """The provenance of the armature's active action, if it was generated."""
    data = armature.animation_data
    text = data.action.get("remodiffuse") if data and data.action else None
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("prompt"), str) else None


def another_seed(context: bpy.types.Context) -> None:
    """The same prompt with another seed: of the active take, or of the active action, as its provenance says."""
    check(context)
    settings, armature = properties.get(context), target.armature(context)
    frame = None
    if settings.takes:
        take = review.unpack(settings.takes[review.chosen(context, -1)])
        found = take.provenance.to_json()
    else:
        found = origin(armature) or {}
        frame = _frames(armature)[0]
    takes.send(context, _request(context, found), armature, frame)


def resample(context: bpy.types.Context) -> None:
    """New takes of the active take, or of the active action, as the scene's re-sample settings say."""
    check(context)
    settings, armature = properties.get(context), target.armature(context)
    fps = context.scene.render.fps / context.scene.render.fps_base
    if settings.takes:
        take = review.unpack(settings.takes[review.chosen(context, -1)])
        motion, found, start = take.motion, take.provenance.to_json(), settings.insert.frame
    else:
        found, (start, end) = origin(armature) or {}, _frames(armature)
        motion = capture.between(armature, context, start, end)
    wanted = settings.resample
    free = np.zeros((motion.frames, len(skeleton.JOINTS)), np.bool_)
    free[_rows(wanted, start, fps, motion.frames)[:, None] & _joints(wanted)] = True
    motion, free, skipped = _window(motion, free)
    prompt = wanted.prompt.strip() or _prompt_at(found, skipped, free)
    request = replace(
        _request(context, found | {"prompt": prompt, "seconds": motion.seconds}),
        strength=round(wanted.strength, 3),
        canvas=Canvas(motion, free),
        then=(),
    )
    takes.send(context, request, armature, start + round(skipped * fps / skeleton.FPS))


def fill_gap(context: bpy.types.Context) -> None:
    """Takes that lead from what plays before the preview range to what plays after it, as the prompt says."""
    check_gap(context)
    settings, armature, scene = properties.get(context), target.armature(context), context.scene
    fps = scene.render.fps / scene.render.fps_base
    _, start, end = preview.range_before(scene)
    around = round(CONTEXT_SECONDS * fps)
    preview.end(scene)
    motion = capture.between(armature, context, start - around, end + around)
    frames = np.arange(motion.frames) * fps / skeleton.FPS + start - around
    rows = (frames > start) & (frames < end)
    if not rows.any():
        raise BackendError("no_range", "The preview range is too short for a motion.", "Make it longer.")
    first, last = np.flatnonzero(rows)[[0, -1]]
    # What stands in the gap says nothing: it is only what the keys on both sides happen to interpolate to.
    before, after = joining.cut(motion, 0, first), joining.cut(motion, last + 1, motion.frames)
    motion = joining.in_a_row(before, joining.bridge(before, after, int(last - first + 1)), after)
    free = np.zeros((motion.frames, len(skeleton.JOINTS)), np.bool_)
    free[rows] = True
    request = Request(
        settings.prompt,
        round(motion.seconds, 3),
        settings.seed,
        settings.count,
        canvas=Canvas(motion, free),
        **takes.guidance(settings),
    )
    takes.send(context, request, armature, start - around)


def _request(context: bpy.types.Context, found: dict[str, Any]) -> Request:
    """A request for what a provenance tells of, with another seed and the references chosen now."""
    settings = properties.get(context)
    sampler = found.get("sampler")
    sampler = sampler if isinstance(sampler, dict) else {}
    row = sampler.get("row")
    row = row if isinstance(row, list) else []
    try:
        parts = [(str(part["prompt"]), float(part["seconds"])) for part in row]
        parts = parts or [(str(found["prompt"]), float(found["seconds"]))]
    except (KeyError, TypeError, ValueError) as error:
        raise BackendError(
            "bad_provenance", "What the action says about its origin is damaged.", "Generate it anew by its prompt."
        ) from error
    if "prompt" in found and found["prompt"] != ", then ".join(prompt for prompt, _ in parts):
        parts = [(str(found["prompt"]), float(found["seconds"]))]
    guidance = takes.guidance(settings)
    seed = secrets.randbelow(LARGEST_SEED + 1 - MAX_COUNT)
    return Request(parts[0][0], round(parts[0][1], 3), seed, settings.count, then=tuple(parts[1:]), **guidance)


def _prompt_at(found: dict[str, Any], skipped: int, free: NDArray[np.bool_]) -> str:
    """The prompt of a provenance; of a row the one that the changed frames belong to."""
    sampler = found.get("sampler")
    row = sampler.get("row") if isinstance(sampler, dict) else None
    prompt = str(found.get("prompt", ""))
    middle = (float(np.flatnonzero(free.any(axis=1)).mean()) + skipped) / skeleton.FPS
    for part in row if isinstance(row, list) else []:
        prompt = str(part["prompt"])
        middle -= float(part["seconds"])
        if middle < 0.0:
            break
    return prompt


def _frames(armature: Any) -> tuple[int, int]:  # noqa: ANN401 - an object with an action
    """First and last frame of the active action."""
    start, end = armature.animation_data.action.frame_range
    return int(start), int(end)


def _rows(wanted: Any, start: int, fps: float, frames: int) -> NDArray[np.bool_]:  # noqa: ANN401 - a property group
    """(T,): the frames that may change."""
    if not wanted.use_range:
        return np.ones(frames, np.bool_)
    times = np.arange(frames) * fps / skeleton.FPS + start
    rows = (times >= wanted.start) & (times <= wanted.end)
    if not rows.any():
        raise BackendError(
            "no_range",
            f"The motion has no frames from {wanted.start} to {wanted.end}.",
            f"It plays from {start} to {times[-1]:.0f}: choose some of these.",
        )
    return rows


def _joints(wanted: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - a property group
    """(22,): the joints that may change."""
    if not wanted.use_parts:
        return np.ones(len(skeleton.JOINTS), np.bool_)
    if not wanted.parts:
        raise BackendError("no_parts", "No part of the body is chosen.", "Choose some, or turn Only Body Parts off.")
    chosen = {joint for part in wanted.parts for joint in _PARTS[part]}
    return np.array([joint in chosen for joint in skeleton.JOINTS])


def _window(motion: Motion, free: NDArray[np.bool_]) -> tuple[Motion, NDArray[np.bool_], int]:
    """The part of a long motion around what may change, and how many frames were left out before it."""
    if motion.frames <= MAX_FRAMES:
        return motion, free, 0
    frames = np.flatnonzero(free.any(axis=1))
    first, last = int(frames[0]), int(frames[-1])
    room = MAX_FRAMES - (last - first + 1)
    if room < 2:
        raise BackendError(
            "bad_request",
            f"More than {MAX_FRAMES / skeleton.FPS:g} seconds cannot be changed at once.",
            "Turn Only Frames on and choose a shorter range.",
        )
    start = min(max(first - room // 2, 0), motion.frames - MAX_FRAMES)
    return joining.cut(motion, start, start + MAX_FRAMES), free[start : start + MAX_FRAMES], start
