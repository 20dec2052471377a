# SPDX-License-Identifier: GPL-3.0-or-later
"""Legs fitted to the rig's proportions, so that its feet stand and step where the motion's feet do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import Motion, skeleton
from ..shared import quaternions as quat
from .body import ANKLE_HEIGHT

if TYPE_CHECKING:
    from .body import Body
    from .pose import Pose

Array = NDArray[np.floating[Any]]

_STRETCH: Final = 0.9995  # of the leg's length
_ROLL: Final = np.sin(np.radians(12.0))  # a foot that points this much further down turns about its toe alone
_UP: Final = np.array([0.0, 1.0, 0.0])


def fit_leg(body: Body, pose: Pose, motion: Motion, world: Array, side: str) -> None:
    """Turns thigh and shin a little further, in place, so that the ankle reaches its target; the foot stays as it is.

    The bend plane is kept and the reach is clamped. `world` (T, 22, 4) are the joints' world rotations.
    """
    hip, knee, ankle = (body.joints[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
    heads = body.rest.heads
    start = pose.head(hip)
    thigh = quat.rotate(pose.turn(hip), heads[knee] - heads[hip])
    shin = quat.rotate(pose.turn(knee), heads[ankle] - heads[knee])
    target = _ankle_target(body, pose, motion, world, side)

    a, b = (np.linalg.norm(vector, axis=-1, keepdims=True) for vector in (thigh, shin))
    along = quat.unit(target - start)
    distance = np.clip(np.linalg.norm(target - start, axis=-1, keepdims=True), np.abs(a - b), _STRETCH * (a + b))
    swing = quat.between(quat.unit(thigh + shin), along)
    forwards = quat.rotate(pose.turn(hip), body.axes[:, 2])
    bend = quat.rotate(swing, thigh + 1e-3 * a * forwards)
    bend = quat.unit(bend - np.sum(bend * along, axis=-1, keepdims=True) * along)
    base = (a**2 + distance**2 - b**2) / (2.0 * np.maximum(distance, 1e-9))
    new_thigh = base * along + np.sqrt(np.maximum(a**2 - base**2, 0.0)) * bend
    new_shin = distance * along - new_thigh
    for bone, old, new in ((hip, thigh, new_thigh), (knee, shin, new_shin)):
        pose.turned[bone] = quat.multiply(quat.between(quat.unit(old), quat.unit(new)), pose.turned[bone])


def _still_in_contact(track: Array, held: NDArray[np.bool_]) -> Array:
    """The track (T, n) with its mean in each stretch of contact and straight ways between: hips that swing must not
    shift a foot that stands.
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], held, [False])).astype(np.int8))).reshape(-1, 2)
    if not len(edges):
        return track
    knots = (edges - [0, 1]).ravel()
    values = np.repeat([track[start:stop].mean(axis=0) for start, stop in edges], 2, axis=0)
    frames = np.arange(len(track))
    return np.stack([np.interp(frames, knots, component) for component in values.T], axis=1)


def _ankle_target(body: Body, pose: Pose, motion: Motion, world: Array, side: str) -> Array:
    """Where the ankle belongs (T, 3), armature space: the source's place, scaled by leg length.

    A foot that rolls over its toe is placed by the toe, for the rig's foot may be longer or shorter.
    """
    index = skeleton.INDEX
    positions = motion.positions.astype(np.float64)
    scale = body.scale
    ankle = scale * (positions[:, index[f"{side}_ankle"]] - ANKLE_HEIGHT * _UP) + body.ankle_height * _UP

    # Rigs with wider or narrower hips stand wider or narrower.
    left = quat.rotate(world[:, index["pelvis"]], np.array([1.0, 0.0, 0.0])) * [1.0, 0.0, 1.0]
    left = _still_in_contact(left, motion.contacts[:, [0, 1] if side == "left" else [2, 3]].max(axis=1) > 0.5)
    sign = 1.0 if side == "left" else -1.0
    width = sign * body.axes[:, 0] @ (body.head(f"{side}_hip") - body.hips_middle())
    ankle += sign * (width - scale * abs(skeleton.REST_OFFSETS[index[f"{side}_hip"], 0])) * quat.unit(left)

    if f"{side}_foot" in body.joints and f"{side}_ankle" in body.headings:
        turn = world[:, index[f"{side}_ankle"]]
        source_flat = skeleton.REST_OFFSETS[index[f"{side}_foot"]]
        source = quat.rotate(turn, source_flat)
        foot_bone = body.joints[f"{side}_ankle"]
        rest = body.rest.heads[body.joints[f"{side}_foot"]] - body.rest.heads[foot_bone]
        rig = quat.rotate(pose.turn(foot_bone), rest) @ body.axes
        # What the rig's flat foot is longer than the source's, towards where the foot is heading.
        level = quat.rotate(turn, np.array([1.0, 0.0, 0.0])) * [1.0, 0.0, 1.0]
        yaw = np.arctan2(-level[:, 2], level[:, 0])
        flat = quat.rotate(body.corrections[f"{side}_ankle"], body.direction(f"{side}_ankle", f"{side}_foot"))
        longer = quat.rotate(quat.about(_UP, yaw), flat - scale * source_flat)
        by_toe = ankle + scale * source + longer - rig
        roll = np.clip((source_flat[1] - source[:, 1:2]) / np.linalg.norm(source_flat) / _ROLL, 0.0, 1.0)
        ankle = ankle + roll * roll * (3.0 - 2.0 * roll) * (by_toe - ankle)
    return body.ground + ankle @ body.axes.T
