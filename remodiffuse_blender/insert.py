# SPDX-License-Identifier: GPL-3.0-or-later
"""A take goes on the timeline: where, as what, and how it joins what is there."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from . import assets, beneath, capture, placement, preview, properties, steps, target, timeline, travel
from .rig.armature import read_rest_pose
from .rig.keys import Interpolation, Keying
from .rig.solve import solve
from .shared import BackendError, Motion, Take, skeleton

if TYPE_CHECKING:
    import bpy

    from .rig.bone_map import BoneMap
    from .rig.channels import Channels
    from .steps import Work

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


def start_of(scene: bpy.types.Scene, armature: bpy.types.Object, frame: float | None = None) -> float:
    """The scene's frame at which an inserted motion begins. `frame` takes the place of the settings' own."""
    settings = properties.of(scene).insert
    if settings.place == "RANGE" and (wanted := _range(scene)):
        return wanted[0]
    if settings.place == "END":
        own = _own_action(scene, armature)
        last = timeline.last_frame(armature, own)
        if last is not None:
            return int(np.floor(last)) + 1
    return settings.frame if frame is None else frame


def insert(context: bpy.types.Context, armature: bpy.types.Object, take: Take, start: float) -> bpy.types.Action:
    """Puts a take on the armature's timeline from frame `start` on. No preview may be running.

    Raises `BackendError` before anything has changed.
    """
    settings = properties.get(context).insert
    check(context, armature)
    channels = steps.at_once(solving(context, armature, take, start))
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


def wishes(scene: bpy.types.Scene) -> SimpleNamespace:
    """What the scene's settings say now of how a motion is put on the timeline."""
    settings: Any = properties.of(scene).insert
    names = [each.identifier for each in settings.bl_rna.properties if each.identifier not in ("rna_type", "name")]
    fps = scene.render.fps / scene.render.fps_base
    return SimpleNamespace(fps=fps, range=_range(scene), **{name: getattr(settings, name) for name in names})


def solving(context: bpy.types.Context, armature: bpy.types.Object, take: Take, start: float) -> Work[Channels]:
    """The take as channels of the armature's bones: placed, fitted and joined as the scene's settings say, to what
    plays without a preview. In steps, see there.
    """
    scene, wanted = context.scene, wishes(context.scene)
    if not preview.running(scene):
        beneath.forget()
    rest, bone_map = read_rest_pose(armature), target.bone_map(armature)
    options = target.options(armature, in_place=wanted.in_place)
    bones = list(bone_map.bones.values())
    changed = take.provenance.sampler.get("changed")
    yield None
    posed = beneath.pose(context, armature, start, bones) if wanted.continues else None

    def solved() -> Channels:
        motion = _fitted(take.motion, wanted)
        if posed is not None:
            here = capture.of_bones(rest, bone_map, posed[None], bones)
            motion = placement.continued(motion, here, by_hips=changed is not None)
        return solve(rest, bone_map, motion, wanted.fps, options, phase=start % 1.0)

    channels = yield solved
    joins = wanted.into != "ACTION"
    blend_in, blend_out = (wanted.blend_in, wanted.blend_out) if joins else (0, 0)
    if wanted.into == "MERGE" and isinstance(changed, dict):
        channels = _only_changed(channels, changed, bone_map, wanted.fps)
        blend_in, blend_out = max(blend_in, EDIT_BLEND), max(blend_out, EDIT_BLEND)
    for frames, at_end in ((blend_in, False), (blend_out, True)):
        if frames:
            yield None
            before = beneath.values(context, armature, start + float(channels.frames[-1 if at_end else 0]))
            shortest = min(frames, len(channels.frames) // 2)
            channels = yield partial(placement.blended, channels, before, shortest, at_end=at_end)
    return channels


def keying(settings: Any) -> Keying:  # noqa: ANN401 (the scene's insert settings)
    """How many keys there are, and what curves do between them."""
    sparse = settings.keys == "SPARSE"
    return Keying(
        Interpolation(settings.interpolation), settings.tolerance if sparse else None, settings.location_tolerance
    )


def _only_changed(channels: Channels, changed: dict[str, Any], bone_map: BoneMap, fps: float) -> Channels:
    """The frames and bones of an edited motion that were made anew: merged, all other keys stay as they are."""
    first, last = (frame * fps / skeleton.FPS for frame in changed["frames"])
    rows = np.flatnonzero((channels.frames >= first - 1e-3) & (channels.frames <= last + 1e-3))
    joints = changed["joints"]
    bones = bone_map.bones
    names = None if joints == "all" else {bones[joint] for joint in joints if joint in bones}
    kept = tuple(
        replace(each, values=each.values[rows] if len(each.values) > 1 else each.values)
        for each in channels.channels
        if names is None or each.bone in names
    )
    return replace(channels, frames=channels.frames[rows], channels=kept, travel=())


def _fitted(motion: Motion, wanted: SimpleNamespace) -> Motion:
    """Looped and cut as the wishes say."""
    if wanted.place == "RANGE" and wanted.range:
        frames = int((wanted.range[1] - wanted.range[0]) / wanted.fps * skeleton.FPS) + 1
    elif wanted.loop:
        frames = round(wanted.loop_seconds * skeleton.FPS)
    else:
        frames = motion.frames
    if wanted.loop and frames > motion.frames:
        motion = placement.looped(motion, frames)
    return placement.cut(motion, frames)


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
