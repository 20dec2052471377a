# SPDX-License-Identifier: GPL-3.0-or-later
"""A take goes on the timeline: where, as what, and how it joins what is there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from . import assets, capture, placement, pose_state, preview, properties, target, timeline, travel
from .rig.keys import Interpolation, Keying
from .shared import BackendError, Motion, Take, skeleton

if TYPE_CHECKING:
    import bpy

    from .rig.channels import Channels

NAME_LENGTH: Final = 50
EDIT_BLEND: Final = 4
"""Frames in which an edited range joins the keys around it, at the least."""


def check(context: bpy.types.Context, armature: bpy.types.Object) -> None:
    """Raises `BackendError` where a take cannot go where the scene's settings want it."""
    settings = properties.get(context).insert
    if settings.place == "RANGE" and _range(context.scene) is None:
        raise BackendError(
            "no_range", "There is no preview range to replace.", "Drag one in the timeline after pressing P."
        )
    if settings.into == "MERGE" and not _own_action(context.scene, armature):
        raise BackendError(
            "no_action", f"{armature.name} has no active action.", "Insert as a new action or an NLA strip."
        )


def start_of(context: bpy.types.Context, armature: bpy.types.Object) -> float:
    """The scene's frame at which an inserted motion begins."""
    scene, settings = context.scene, properties.get(context).insert
    if settings.place == "RANGE" and (wanted := _range(scene)):
        return wanted[0]
    if settings.place == "END":
        own = _own_action(scene, armature)
        last = timeline.last_frame(armature, own)
        if last is not None:
            return int(np.floor(last)) + 1
    return settings.frame


def insert(context: bpy.types.Context, armature: bpy.types.Object, take: Take, start: float) -> bpy.types.Action:
    """Puts a take on the armature's timeline from frame `start` on. No preview may be running.

    Raises `BackendError` before anything has changed.
    """
    settings = properties.get(context).insert
    check(context, armature)
    channels = channels_of(context, armature, take, start)
    facts = provenance(take)
    name = " ".join(take.provenance.prompt.split())[:NAME_LENGTH]
    match settings.into:
        case "MERGE":
            action = timeline.merge(armature, channels, start, keying(settings))
            for key, value in facts.items():
                action[key] = value
        case "STRIP":
            action = timeline.write_strip(armature, channels, name, start, facts, keying(settings))
        case _:
            keep_action(armature)
            action = timeline.write_action(armature, channels, name, start, facts, keying(settings))
    travel.keep(action, channels, start)
    if settings.as_asset:
        assets.mark(action, take)
    return action


def channels_of(context: bpy.types.Context, armature: bpy.types.Object, take: Take, start: float) -> Channels:
    """The take as channels of the armature's bones: placed, fitted and joined as the scene's settings say.

    No preview may be running: the motion joins what plays without it.
    """
    scene, settings = context.scene, properties.get(context).insert
    fps = scene.render.fps / scene.render.fps_base
    motion = _fitted(take.motion, settings, fps, _range(scene))
    joins = settings.into != "ACTION"
    changed = take.provenance.sampler.get("changed") if settings.into == "MERGE" else None
    blend_in, blend_out = (settings.blend_in, settings.blend_out) if joins else (0, 0)
    here, posed = (scene.frame_current, scene.frame_subframe), pose_state.read(armature)
    try:
        if settings.continues:
            _go_to(scene, start)
            edited = "changed" in take.provenance.sampler
            motion = placement.continued(motion, capture.pose(armature, context), by_hips=edited)
        channels = target.solve_motion(armature, motion, fps, in_place=settings.in_place, phase=start % 1.0)
        if isinstance(changed, dict):
            channels = _only_changed(armature, channels, changed, fps)
            blend_in, blend_out = max(blend_in, EDIT_BLEND), max(blend_out, EDIT_BLEND)
        for frames, at_end in ((blend_in, False), (blend_out, True)):
            if frames:
                _go_to(scene, start + float(channels.frames[-1 if at_end else 0]))
                shortest = min(frames, len(channels.frames) // 2)
                channels = placement.blended(channels, _values(armature), shortest, at_end=at_end)
    finally:
        if (scene.frame_current, scene.frame_subframe) != here:
            scene.frame_set(here[0], subframe=here[1])
            # What was posed without a key is not in any action.
            pose_state.write(armature, posed)
    return channels


def keying(settings: Any) -> Keying:  # noqa: ANN401 (the scene's insert settings)
    """How many keys there are, and what curves do between them."""
    sparse = settings.keys == "SPARSE"
    return Keying(
        Interpolation(settings.interpolation), settings.tolerance if sparse else None, settings.location_tolerance
    )


def _go_to(scene: bpy.types.Scene, frame: float) -> None:
    whole, part = divmod(frame + 1e-6, 1.0)
    part = part if part > 1e-5 else 0.0
    if scene.frame_current != whole or abs(scene.frame_subframe - part) > 1e-5:
        scene.frame_set(int(whole), subframe=part)


def _only_changed(armature: bpy.types.Object, channels: Channels, changed: dict[str, Any], fps: float) -> Channels:
    """The frames and bones of an edited motion that were made anew: merged, all other keys stay as they are."""
    first, last = (frame * fps / skeleton.FPS for frame in changed["frames"])
    rows = np.flatnonzero((channels.frames >= first - 1e-3) & (channels.frames <= last + 1e-3))
    joints = changed["joints"]
    bones = target.bone_map(armature).bones
    names = None if joints == "all" else {bones[joint] for joint in joints if joint in bones}
    kept = tuple(
        replace(each, values=each.values[rows] if len(each.values) > 1 else each.values)
        for each in channels.channels
        if names is None or each.bone in names
    )
    return replace(channels, frames=channels.frames[rows], channels=kept, travel=())


def _fitted(motion: Motion, settings: Any, fps: float, wanted: tuple[int, int] | None) -> Motion:  # noqa: ANN401
    """Looped and cut as the settings say."""
    if settings.place == "RANGE" and wanted:
        frames = int((wanted[1] - wanted[0]) / fps * skeleton.FPS) + 1
    elif settings.loop:
        frames = round(settings.loop_seconds * skeleton.FPS)
    else:
        frames = motion.frames
    if settings.loop and frames > motion.frames:
        motion = placement.looped(motion, frames)
    return placement.cut(motion, frames)


def _values(armature: bpy.types.Object) -> dict[tuple[str, str], Any]:
    """What every bone's channels hold now."""
    bones: Any = armature.pose.bones  # pyright: ignore[reportOptionalMemberAccess]  an armature has a pose
    names = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle")
    return {(bone.name, name): np.array(getattr(bone, name), np.float64) for bone in bones for name in names}


def _range(scene: bpy.types.Scene) -> tuple[int, int] | None:
    """The animator's own preview range, not the one that a preview sets."""
    before = preview.range_before(scene)
    return (before[1], before[2]) if before[0] else None


def _own_action(scene: bpy.types.Scene, armature: bpy.types.Object) -> bpy.types.Action | None:
    """The armature's action, not that of a preview."""
    review: Any = properties.of(scene).review
    if preview.running(scene) and review.armature == armature:
        return review.action
    return armature.animation_data.action if armature.animation_data else None


def provenance(take: Take) -> dict[str, Any]:
    """Custom properties of the action, from which the take can be sampled again."""
    origin = take.provenance
    return {
        "prompt": origin.prompt,
        "seconds": origin.seconds,
        "seed": origin.seed,
        "model": origin.model,
        "licence": origin.licence,
        "remodiffuse": json.dumps(origin.to_json(), ensure_ascii=False),
    }


def keep_action(armature: bpy.types.Object) -> None:
    """The action that is about to be replaced stays in the file, also when nothing else uses it."""
    data = armature.animation_data
    if data and data.action and data.action.users == 1:
        data.action.use_fake_user = True
