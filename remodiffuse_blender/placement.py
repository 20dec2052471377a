# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a motion goes and how it joins what is there. Pure numpy: motions in, motions and channels out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .shared import BackendError, Motion, contacts, features, joining, rebuild, sequence, skeleton
from .shared import quaternions as quat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .rig.channels import Channel, Channels

    Array = NDArray[np.floating[Any]]


def continued(motion: Motion, pose: Motion, *, by_hips: bool = False) -> Motion:
    """The motion moved along the ground and turned about the vertical, so that it starts where frame 0 of `pose` is.

    Facing is the body's, by hips and shoulders; `by_hips` where both are the same motion, but for the arms perhaps.
    """
    facing = _hips if by_hips else (lambda each: float(features.heading(each.positions[:1])[0]))
    own = features.heading(motion.positions)[0]
    return joining.placed(motion, 0, float(own + facing(pose) - facing(motion)), pose.root[0].astype(np.float64))


def _hips(motion: Motion) -> float:
    left, right = (motion.positions[0, skeleton.INDEX[f"{side}_hip"]] for side in ("left", "right"))
    across = left - right
    return float(np.arctan2(-across[2], across[0]))


def looped(motion: Motion, frames: int) -> Motion:
    """The motion with its best cycle repeated until it has `frames`. Raises `BackendError` where it has no cycle."""
    longer = sequence.looped(motion.positions, frames)
    if longer is None:
        raise BackendError(
            "no_cycle",
            "This take has no part that repeats, so it cannot be looped.",
            "Turn Loop off, or generate a longer walk, run or dance.",
        )
    positions = longer.astype(np.float32)
    whole = rebuild.rebuilt(positions, contacts.detect_contacts(positions, motion.fps), motion.fps)
    return continued(cut(whole, frames), motion)


def cut(motion: Motion, frames: int) -> Motion:
    """At most the first `frames` frames."""
    parts = {name: getattr(motion, name)[: max(frames, 1)] for name in ("positions", "rotations", "root", "contacts")}
    return replace(motion, **parts)


def blended(channels: Channels, before: Mapping[tuple[str, str], Array], frames: int, *, at_end: bool) -> Channels:
    """The channels with their first (or last) value turned into the one in `before`, fading within `frames` frames.

    `before` holds the values of (bone, path) that the motion joins. Nothing pops: at the join itself the value is
    exactly the old one, and the difference fades smoothly.
    """
    if frames <= 0:
        return channels
    made = tuple(
        _blended(each, before.get((each.bone, each.path)), frames, at_end=at_end) for each in channels.channels
    )
    return replace(channels, channels=made)


def _blended(channel: Channel, wanted: Array | None, frames: int, *, at_end: bool) -> Channel:
    values = np.asarray(channel.values, np.float64)
    if wanted is None or len(values) < 2 or values.shape[1] != len(wanted):
        return channel
    steps = np.arange(len(values), dtype=np.float64)
    steps = steps[::-1] if at_end else steps
    share = np.clip(1.0 - steps / frames, 0.0, 1.0)
    share = share * share * (3.0 - 2.0 * share)
    edge = values[-1 if at_end else 0]
    if channel.path == "rotation_quaternion":
        if not np.linalg.norm(wanted) > 0.0:
            return channel
        offset = quat.multiply(quat.unit(np.asarray(wanted, np.float64)), quat.conjugate(quat.unit(edge)))
        offset = offset if offset[0] >= 0.0 else -offset
        one = np.broadcast_to([1.0, 0.0, 0.0, 0.0], values.shape)
        faded = quat.slerp(one, np.broadcast_to(offset, values.shape), share)
        turned = quat.continuous(quat.multiply(faded, values))
        # Both signs are the same rotation, but keys before and after are interpolated number by number.
        return replace(channel, values=-turned if turned[-1 if at_end else 0] @ wanted < 0.0 else turned)
    difference = np.asarray(wanted, np.float64) - edge
    if channel.path == "rotation_euler":
        difference = (difference + np.pi) % (2.0 * np.pi) - np.pi
    return replace(channel, values=values + share[:, None] * difference)
