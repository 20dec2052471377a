# SPDX-License-Identifier: GPL-3.0-or-later
"""What plays on an armature beneath a preview, at the frames that a motion joins.

To read it the preview has to go, and Blender has to evaluate the rig several times. So what was read is remembered for
as long as the preview covers up the same things.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from . import capture, pose_state, preview

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    import bpy
    from numpy.typing import NDArray

    Values = dict[tuple[str, str], NDArray[np.float64]]

_CHANNELS: Final = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle")
_seen: Final[dict[Hashable, Any]] = {}
_covered: int | None = None
"""What the preview covered up when it began: `_seen` is true of that."""


def pose(
    context: bpy.types.Context, armature: bpy.types.Object, frame: float, bones: Sequence[str]
) -> NDArray[np.float64]:
    """(N, 4, 4): the bones, posed, in armature space."""
    key = (armature.session_uid, frame, tuple(bones))
    return _read(context.scene, armature, frame, key, lambda: capture.posed(armature, context, bones))


def values(context: bpy.types.Context, armature: bpy.types.Object, frame: float) -> Values:
    """(bone, path) -> what the bone's channel is."""
    return _read(context.scene, armature, frame, (armature.session_uid, frame), lambda: _channels(armature))


def forget() -> None:
    """What was read may no longer be true: no preview keeps it as it is."""
    global _covered  # noqa: PLW0603
    _covered = None
    _seen.clear()


def keep(scene: bpy.types.Scene) -> None:
    """A preview has begun to cover up what was read."""
    global _covered  # noqa: PLW0603
    _covered = preview.covered(scene)


def _read(
    scene: bpy.types.Scene, armature: bpy.types.Object, frame: float, key: Hashable, read: Callable[[], Any]
) -> Any:  # noqa: ANN401 (what `read` returns)
    if preview.running(scene):
        if _covered != preview.covered(scene):
            forget()
        if key in _seen:
            return _seen[key]
        preview.end(scene)
    with _visited(scene, armature, frame):
        _seen[key] = read()
    return _seen[key]


@contextmanager
def _visited(scene: bpy.types.Scene, armature: bpy.types.Object, frame: float) -> Iterator[None]:
    """The playhead stands on a frame; afterwards it is back, and with it what was posed without a key."""
    here = (scene.frame_current, scene.frame_subframe)
    whole, part = divmod(frame + 1e-6, 1.0)
    part = part if part > 1e-5 else 0.0
    if here[0] == whole and abs(here[1] - part) <= 1e-5:
        yield
        return
    posed = pose_state.read(armature)
    scene.frame_set(int(whole), subframe=part)
    try:
        yield
    finally:
        scene.frame_set(here[0], subframe=here[1])
        pose_state.write(armature, posed)


def _channels(armature: bpy.types.Object) -> Values:
    bones: Any = armature.pose.bones  # pyright: ignore[reportOptionalMemberAccess]  an armature has a pose
    return {(bone.name, name): np.array(getattr(bone, name), np.float64) for bone in bones for name in _CHANNELS}
