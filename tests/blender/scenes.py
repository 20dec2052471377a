# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything of a file that an operator of ours could change, as plain values that can be compared."""

from __future__ import annotations

import importlib
import os
import time
from typing import TYPE_CHECKING, Any

import bpy
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

Rna = Any
"""What Blender hands out: its types differ by version, and no stub knows what we add."""

context: Rna = bpy.context
ops: Rna = bpy.ops


def dump() -> dict[str, Any]:
    """Actions with all keys, animation data, poses, selection, time line and our own properties."""
    return {
        "actions": {action.name: _action(action) for action in bpy.data.actions},
        "objects": {each.name: _object(each) for each in bpy.data.objects},
        "scenes": {scene.name: _scene(scene) for scene in bpy.data.scenes},
    }


def whole() -> dict[str, Any]:
    """All of `dump`, with the shape of every key, what is stored on bones, and all of our own properties."""
    objects = {each.name: _ours(each) for each in bpy.data.objects if each.type == "ARMATURE"}
    scenes: Rna = bpy.data.scenes
    return {
        **dump(),
        "curves": {action.name: _curves(action) for action in bpy.data.actions},
        "ours": {**objects, **{f"scene {scene.name}": _group(scene.remodiffuse) for scene in scenes}},
    }


def _curves(action: Rna) -> list[Any]:
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    return [
        (curve.data_path, curve.array_index, curve.group and curve.group.name, curve.mute, curve.extrapolation)
        + tuple((*key.handle_left, *key.handle_right, key.interpolation) for key in curve.keyframe_points)
        for bag in bags
        for curve in bag.fcurves
    ]


def _ours(armature: Rna) -> dict[str, Any]:
    found = {name: _group(getattr(armature, name)) for name in dir(armature) if name.startswith("remodiffuse")}
    found["bones"] = {
        bone.name: {key: repr(bone[key]) for key in list(bone.keys())} for bone in armature.pose.bones if bone.keys()
    }
    return found


def _group(group: Rna) -> dict[str, Any]:
    found = {}
    for each in group.bl_rna.properties:
        value = getattr(group, each.identifier)
        if each.identifier == "rna_type":
            continue
        if each.type == "COLLECTION":
            value = [_group(item) for item in value]
        elif each.type == "POINTER":
            value = _group(value) if isinstance(value, bpy.types.PropertyGroup) else value and value.name
        elif getattr(each, "is_array", False):
            value = tuple(value)
        found[each.identifier] = value
    return found


def _action(action: Rna) -> dict[str, Any]:
    return {
        "users": action.users,
        "fake user": action.use_fake_user,
        "range": (action.use_frame_range, action.frame_start, action.frame_end),
        "properties": {name: str(action[name]) for name in list(action.keys())},
        "slots": [slot.identifier for slot in action.slots],
        "keys": keys(action),
    }


def keys(action: Rna) -> dict[tuple[str, int], list[tuple[float, float]]]:
    """(path, component) -> frames and values of its keys."""
    return {
        (curve.data_path, curve.array_index): [tuple(point.co) for point in curve.keyframe_points]
        for layer in action.layers
        for strip in layer.strips
        for bag in strip.channelbags
        for curve in bag.fcurves
    }


def _object(each: Rna) -> dict[str, Any]:
    data = each.animation_data
    return {
        "animation": data
        and {
            "action": data.action and data.action.name,
            "slot": data.action_slot and data.action_slot.identifier,
            "influence": (data.action_blend_type, data.action_extrapolation, data.action_influence, data.use_nla),
            "tracks": [
                (track.name, track.is_solo, track.mute, [_strip(strip) for strip in track.strips])
                for track in data.nla_tracks
            ],
        },
        "pose": each.pose
        and {
            bone.name: (bone.rotation_mode, [tuple(row) for row in bone.matrix_basis], len(bone.constraints))
            for bone in each.pose.bones
        },
        "matrix": [tuple(row) for row in each.matrix_world],
        "selected": each.select_get(),
    }


def _strip(strip: Rna) -> tuple[Any, ...]:
    slot = strip.action_slot and strip.action_slot.identifier
    times = (strip.frame_start, strip.frame_end, strip.action_frame_start, strip.action_frame_end)
    return (strip.name, strip.action and strip.action.name, slot, *times, strip.blend_type, strip.extrapolation)


def _scene(scene: Rna) -> dict[str, Any]:
    settings = scene.remodiffuse
    return {
        "frames": (scene.frame_start, scene.frame_end, scene.frame_current),
        "preview range": (scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end),
        "review": (
            settings.review.armature and settings.review.armature.name,
            settings.review.action and settings.review.action.name,
            settings.review.preview and settings.review.preview.name,
            settings.review.before,
        ),
        "insert": [
            getattr(settings.insert, each.identifier)
            for each in settings.insert.bl_rna.properties
            if each.identifier not in ("rna_type", "name")
        ],
        "rate": (scene.render.fps, scene.render.fps_base),
        "request": (settings.prompt, settings.seconds, settings.seed, settings.count),
        "takes": [
            (take.prompt, take.seed, take.accepted, take.starred, take.frame, len(take.references))
            for take in settings.takes
        ],
        "active take": settings.active_take,
        "row": [(each.prompt, each.seconds) for each in settings.row],
        "choices": [(each.library, each.clip, each.banned) for each in settings.choices],
    }


def refusal(operator: Callable[[], object]) -> str:
    """What a refused operator says."""
    with pytest.raises(RuntimeError) as caught:
        operator()
    return str(caught.value)


def generate() -> None:
    """What a script does for the sidebar's Generate."""
    ops.remodiffuse.generate()
    ops.remodiffuse.wait(timeout=120)


def arrive(addon: str, take: Rna, armature: Rna) -> None:
    """A take comes for an armature of this scene, as from the backend."""
    arrival = importlib.import_module(f"{addon}.arrival")
    coming = arrival.Arrival([take], context.scene.session_uid, armature.session_uid)
    while not coming.advance():
        time.sleep(0.001)


def assert_ends(pid: int) -> None:
    """The process is gone soon."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail(f"process {pid} still lives")
