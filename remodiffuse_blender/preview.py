# SPDX-License-Identifier: GPL-3.0-or-later
"""A take that plays on the armature for now. Everything that it covers up is kept in the scene and comes back exactly.

What is kept lies in the scene's properties, not in this module: so a preview survives saving, opening and undo.
"""

from __future__ import annotations

import json
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import bpy

from . import pose_state, properties, timeline
from .rig.channels import OBJECT
from .shared import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .rig.channels import Channels

_ANIMATION: Final = ("action_blend_type", "action_extrapolation", "action_influence")
_RANGE: Final = ("use_preview_range", "frame_preview_start", "frame_preview_end")


def check(armature: bpy.types.Object) -> None:
    """Raises `BackendError` where nothing can be previewed."""
    if not armature.is_editable or armature.library:
        raise BackendError(
            "linked_armature",
            f"The armature {armature.name} is linked from another file.",
            "Make a library override of it (Object > Library Override).",
        )
    if armature.animation_data and armature.animation_data.use_tweak_mode:
        raise BackendError(
            "tweak_mode", f"{armature.name} is in the NLA's tweak mode.", "Leave it with Tab in the NLA editor."
        )


def running(scene: bpy.types.Scene) -> bool:
    return bool(properties.of(scene).review.before)


def covered(scene: bpy.types.Scene) -> int:
    """Changes whenever what the preview covers up does."""
    review: Any = properties.of(scene).review
    kept = json.loads(review.before)
    kept.pop("fingerprint", None)
    nla = timeline.state_of_nla(review.armature) if review.armature else ""
    keys = timeline.fingerprint(review.action) if review.action else 0
    return zlib.crc32(f"{json.dumps(kept)} {nla} {keys}".encode())


def show(
    scene: bpy.types.Scene, armature: bpy.types.Object, channels: Channels, name: str, start: float, clip: str = ""
) -> bpy.types.Action:
    """Plays the channels on the armature, in place of a preview that runs. `clip` names the clip of a library that it
    is, where it is no take.
    """
    check(armature)
    review: Any = properties.of(scene).review
    if not _shown_instead(scene, armature, channels, name, start):
        end(scene)
        kept = _kept(scene, armature, channels)
        review.armature = armature
        review.action = armature.animation_data.action if armature.animation_data else None
        action = review.preview = timeline.write_action(armature, channels, name, start)
        _alone(armature)
        review.before = json.dumps(kept | {"fingerprint": timeline.fingerprint(action)})
    review.clip = clip
    # Playing goes round and round within the take.
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = int(review.preview.frame_start), int(review.preview.frame_end)
    return review.preview


def _shown_instead(
    scene: bpy.types.Scene, armature: bpy.types.Object, channels: Channels, name: str, start: float
) -> bool:
    """Whether the preview that runs could be given other keys, so that what it covers up stays covered."""
    review: Any = properties.of(scene).review
    preview = review.preview
    if not running(scene) or review.armature != armature or preview is None:
        return False
    kept = json.loads(review.before)
    playing = armature.animation_data and armature.animation_data.action == preview
    if not playing or timeline.fingerprint(preview) != kept["fingerprint"]:
        return False
    if not timeline.rewrite(preview, channels, name, start):
        return False
    review.before = json.dumps(kept | {"fingerprint": timeline.fingerprint(preview)})
    return True


def end(scene: bpy.types.Scene) -> None:
    """Brings back action, slot, NLA, pose, playhead and preview range as they were. Without a preview: nothing."""
    review: Any = properties.of(scene).review
    if not running(scene):
        return
    kept: dict[str, Any] = json.loads(review.before)
    armature, action, preview = review.armature, review.action, review.preview
    for name in ("armature", "action", "preview"):
        setattr(review, name, None)
    review.before = review.clip = ""
    for name in _RANGE:
        setattr(scene, name, kept["range"][name])
    # The animator may have deleted the armature meanwhile.
    if armature:
        _put_back(armature, action, kept)
    scene.frame_set(kept["frame"], subframe=kept["subframe"])
    if armature:
        # After the frame: what was posed without a key is not in any action.
        pose_state.write(armature, kept["pose"])
    if preview and timeline.fingerprint(preview) == kept["fingerprint"]:
        bpy.data.actions.remove(preview)
    elif preview:
        # The animator has worked on it: that is never thrown away.
        preview.name = preview.name.replace("Preview of", "Edited")
        preview.use_fake_user = True


@contextmanager
def tried(scene: bpy.types.Scene, armature: bpy.types.Object, channels: Channels) -> Iterator[None]:
    """The channels play on the armature, from frame 0 on, for as long as this lasts; then everything is as before, a
    preview that runs included.
    """
    check(armature)
    kept = _kept(scene, armature, channels)
    before = armature.animation_data.action if armature.animation_data else None
    action = timeline.write_action(armature, channels, "Rig Report", 0.0)
    try:
        _alone(armature)
        yield
    finally:
        _put_back(armature, before, kept)
        bpy.data.actions.remove(action)
        scene.frame_set(kept["frame"], subframe=kept["subframe"])
        pose_state.write(armature, kept["pose"])


def range_before(scene: bpy.types.Scene) -> tuple[bool, int, int]:
    """Whether there was a preview range, its start and end, as they were before the preview began."""
    review = properties.of(scene).review
    values = json.loads(review.before)["range"] if review.before else {name: getattr(scene, name) for name in _RANGE}
    use, start, last = (values[name] for name in _RANGE)
    return bool(use), int(start), int(last)


def _alone(armature: bpy.types.Object) -> None:
    """The action shows as it is, whatever the NLA plays besides."""
    data: Any = armature.animation_data
    data.action_blend_type, data.action_influence, data.action_extrapolation = "REPLACE", 1.0, "HOLD"
    for track in data.nla_tracks:
        track.is_solo = False


def _kept(scene: bpy.types.Scene, armature: bpy.types.Object, channels: Channels) -> dict[str, Any]:
    data: Any = armature.animation_data
    animation = None
    if data:
        animation = {name: getattr(data, name) for name in _ANIMATION}
        animation["slot"] = data.action_slot.identifier if data.action_slot else ""
        animation["last_slot"] = data.last_slot_identifier
        animation["solo"] = next((index for index, track in enumerate(data.nla_tracks) if track.is_solo), -1)
    return {
        "frame": scene.frame_current,
        "subframe": scene.frame_subframe,
        "range": {name: getattr(scene, name) for name in _RANGE},
        "animation": animation,
        "pose": pose_state.read(armature),
        # Where the object stands is the animator's to change meanwhile, unless the motion itself moves it.
        "place": armature.location[:] if any((each.bone, each.path) == OBJECT for each in channels.channels) else (),
    }


def _put_back(armature: bpy.types.Object, action: bpy.types.Action | None, kept: dict[str, Any]) -> None:
    _put_back_animation(armature, action, kept)
    if kept["place"]:
        armature.location = kept["place"]


def _put_back_animation(armature: bpy.types.Object, action: bpy.types.Action | None, kept: dict[str, Any]) -> None:
    animation = kept["animation"]
    if animation is None:
        armature.animation_data_clear()
        return
    data: Any = armature.animation_data or armature.animation_data_create()
    data.action = action
    if action:
        data.action_slot = next((slot for slot in action.slots if slot.identifier == animation["slot"]), None)
    data.last_slot_identifier = animation["last_slot"]
    for name in _ANIMATION:
        setattr(data, name, animation[name])
    if 0 <= animation["solo"] < len(data.nla_tracks):
        data.nla_tracks[animation["solo"]].is_solo = True
