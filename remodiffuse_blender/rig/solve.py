# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion -> animation channels of a rig, in closed form.

Each mapped bone gets the world rotation of its joint on top of its corrected rest pose (docs/design.md §3: rotations
are against the T-pose). What a bone inherits from the bones that carry it is then taken out again, which leaves the
channels of the bone itself. Legs are fitted so that feet go where the source's feet go, scaled by leg length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import Motion, rotations, skeleton
from ..shared import quaternions as quat
from .body import ANKLE_HEIGHT, Body, measure
from .chains import SPINE, neck_bones, spine_shares
from .channels import Channel, Channels
from .ik import drive_ik
from .legs import fit_leg
from .pose import Pose
from .rotation_modes import in_modes, property_of

if TYPE_CHECKING:
    from .bone_map import BoneMap
    from .rest_pose import RestPose

Array = NDArray[np.floating[Any]]

_INDEX: Final = skeleton.INDEX
_ENDS: Final = tuple(f"{side}_{joint}" for joint in ("ankle", "foot", "wrist") for side in ("left", "right"))
_DETACHED: Final = 0.01  # of the leg's length: a bone that is carried further away than this needs location keys


def solve(rest: RestPose, bone_map: BoneMap, motion: Motion, fps: float | None = None) -> Channels:
    """The motion on the rig, one row a frame at `fps` (the motion's own by default), starting where the rig stands.

    Rotations come in each bone's own rotation mode, and location for the bone that carries the travel. Bones that
    are not mapped keep what they have. Raises KeyError if the map lacks a required joint or names an unknown bone.
    """
    body = measure(rest, bone_map)
    pose = Pose(rest, motion.frames)
    world = rotations.world_rotations(motion.rotations)
    _turn_bones(body, pose, world)
    _travel(body, pose, motion)
    for side in ("left", "right"):
        fit_leg(body, pose, motion, world, side)
    without_keys = drive_ik(body, pose)
    _attach(body, pose)

    bones = sorted(set(pose.turned) - without_keys)
    turns = np.stack([pose.basis(bone) for bone in bones], axis=1)
    moves = {bone: pose.location(bone) for bone in pose.placed}
    times = np.arange(motion.frames, dtype=np.float64)
    if fps is not None and fps != motion.fps:
        count = int(np.floor((motion.frames - 1) * fps / motion.fps + 1e-6)) + 1
        times = np.arange(count) * motion.fps / fps
        turns = quat.resample(turns, times)
        moves = {bone: _resample(move, times) for bone, move in moves.items()}

    modes = [rest.rotation_modes[bone] for bone in bones]
    channels = [
        Channel(rest.names[bone], property_of(mode), values)
        for bone, mode, values in zip(bones, modes, in_modes(turns, modes), strict=True)
    ]
    channels += [Channel(rest.names[bone], "location", move) for bone, move in moves.items()]
    channels += [
        Channel(bone, f'["{name}"]', np.array([[value]]))
        for bone, values in bone_map.switches.items()
        for name, value in values.items()
    ]
    return Channels(np.arange(len(times), dtype=np.float64), tuple(channels))


def _turn_bones(body: Body, pose: Pose, world: Array) -> None:
    """Sets the rotation of every bone that the motion turns, given those (T, 22, 4) of the joints."""
    corrections = body.corrections
    axes = quat.from_matrix(body.axes)

    def turn(bone: int, rotation: Array, correction: Array) -> None:
        constant = quat.multiply(correction, quat.multiply(quat.conjugate(axes), pose.rest_rotation(bone)))
        pose.turned[bone] = quat.multiply(quat.multiply(axes, rotation), constant)

    for joint, bone in body.joints.items():
        if not joint.startswith("spine"):
            turn(bone, world[:, _INDEX[joint]], corrections[joint])
    carries_the_legs = body.rest.carried_by(body.joints["left_hip"])
    for bone, shares in spine_shares(body).items():
        if bone in carries_the_legs:  # it is a part of the pelvis then, whatever it is called
            turn(bone, world[:, _INDEX["pelvis"]], corrections["pelvis"])
            continue
        # Neighbouring joints of a spine differ little: the mean of their quaternions is the mean rotation.
        parts = quat.continuous(np.moveaxis(world[:, [_INDEX[joint] for joint in shares]], 1, 0))
        mean = quat.unit(np.tensordot(np.array(list(shares.values())), parts, axes=1))
        turn(bone, mean, corrections[next(joint for joint in corrections if joint.startswith("spine"))])
    for bone in neck_bones(body):
        turn(bone, world[:, _INDEX["neck"]], corrections["neck"])


def _travel(body: Body, pose: Pose, motion: Motion) -> None:
    """Places the bone that carries the travel, so that the hips go where the motion's hips go."""
    rest = body.rest
    hips = motion.positions[:, [_INDEX["left_hip"], _INDEX["right_hip"]]].mean(axis=1).astype(np.float64)
    path = body.scale * (hips - [0.0, ANKLE_HEIGHT, 0.0]) + [0.0, body.ankle_height, 0.0]
    middle = body.ground + path @ body.axes.T

    pelvis = body.joints["pelvis"]
    arm = body.hips_middle() - rest.heads[pelvis]
    head = middle - quat.rotate(pose.turn(pelvis), arm)
    carrier = _travel_bone(body)
    pose.placed[carrier] = head if carrier == pelvis else rest.heads[carrier] + head - rest.heads[pelvis]


def _travel_bone(body: Body) -> int:
    """The pelvis, or the bone above it that the spine hangs on as well; never one that is connected to its parent."""
    rest, pelvis = body.rest, body.joints["pelvis"]
    spine = next(body.joints[joint] for joint in SPINE if joint in body.joints)
    above = [spine, *rest.carried_by(spine)]
    candidates = [bone for bone in (pelvis, *rest.carried_by(pelvis)) if bone in above and not rest.connected[bone]]
    return candidates[0] if candidates else pelvis


def _attach(body: Body, pose: Pose) -> None:
    """Gives location to bones that ought to hang on another mapped bone but do not, so that they stay with it: feet
    and hands that are chains of their own, a spine beside the pelvis.
    """
    rest = body.rest
    limit = _DETACHED * body.scale
    first_spine = next(joint for joint in SPINE if joint in body.joints)
    for joint in (first_spine, *_ENDS):
        if joint not in body.joints:
            continue
        bone = body.joints[joint]
        parent = next((one for one in _ancestors(joint) if one in body.joints), None)
        if parent is None or body.joints[parent] in rest.carried_by(bone) or rest.connected[bone]:
            continue
        above = body.joints[parent]
        wanted = pose.head(above) + quat.rotate(pose.turn(above), rest.heads[bone] - rest.heads[above])
        if np.abs(wanted - pose.head(bone)).max() > limit:
            pose.place(bone, wanted)


def _ancestors(joint: str) -> list[str]:
    found, index = [], _INDEX[joint]
    while (index := skeleton.PARENTS[index]) >= 0:
        found.append(skeleton.JOINTS[index])
    return found


def _resample(track: Array, times: Array) -> Array:
    """A track (T, 3) at fractional frame numbers, by Catmull-Rom splines."""
    last = len(track) - 1
    first = np.minimum(times.astype(int), max(last - 1, 0))
    u = (times - first)[:, None]
    p0, p1, p2, p3 = (track[np.clip(first + shift, 0, last)] for shift in (-1, 0, 1, 2))
    return p1 + 0.5 * u * (p2 - p0 + u * (2 * p0 - 5 * p1 + 4 * p2 - p3 + u * (3 * (p1 - p2) + p3 - p0)))
