# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion -> animation channels of a rig, in closed form.

Each mapped bone gets the world rotation of its joint on top of its corrected rest pose (docs/design.md §3: rotations
are against the T-pose). What a bone inherits from the bones that carry it is then taken out again, which leaves the
channels of the bone itself. The way along the ground is scaled by leg length, and feet in contact are held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import quaternions as quat
from ..shared import skeleton
from . import mirror
from .body import Body, at_world_origin, measure
from .chains import SPINE, ancestors, neck_bones, spine_shares
from .channels import OBJECT, Channel, Channels
from .feet import levelled, rolled
from .fingers import finger_channels
from .ik import drive_ik
from .legs import lock_feet
from .options import DEFAULT, Options, Start, Travel
from .pose import Pose
from .rotation_modes import in_modes, property_of
from .source import prepared
from .travel import place_hips, travelling
from .twist import share_twist

if TYPE_CHECKING:
    from ..shared import Motion
    from .bone_map import BoneMap
    from .rest_pose import RestPose

Array = NDArray[np.floating[Any]]

_INDEX: Final = skeleton.INDEX
_ENDS: Final = tuple(f"{side}_{joint}" for joint in ("ankle", "foot", "wrist") for side in ("left", "right"))
_DETACHED: Final = 0.01  # of the leg's length: a bone that is carried further away than this needs location keys


def solve(
    rest: RestPose,
    bone_map: BoneMap,
    motion: Motion,
    fps: float | None = None,
    options: Options = DEFAULT,
    phase: float = 0.0,
) -> Channels:
    """The motion on the rig, one row a frame at `fps` (the motion's own by default).

    The motion starts `phase` (0 up to 1) frames after a whole frame of the scene; rows lie on whole frames. Rotations
    come in each bone's own rotation mode, and location for what carries the travel. Bones that are not mapped keep
    what they have. Raises KeyError if the map lacks a required joint or names an unknown bone.
    """
    body = measure(rest, bone_map)
    rest = body.rest
    if options.start is Start.ORIGIN:
        body = at_world_origin(body)
    source = prepared(motion, options)
    pose = Pose(rest, motion.frames)
    _turn_bones(body, pose, rolled(body, levelled(body, source.world, source.standing())))
    path = body.scale * source.path @ body.to_armature.T
    hips = place_hips(body, pose, source, path, options.travel)
    lock_feet(body, pose, source, hips, options.foot_lock)
    share_twist(body, pose)
    controls = drive_ik(body, pose, bone_map, options.limbs)
    _attach(body, pose, controls.without_keys)

    bones = sorted(set(pose.turned) - controls.without_keys)
    turns = np.stack([pose.basis(bone) for bone in bones], axis=1)
    moves = {(rest.names[bone], "location"): pose.location(bone) for bone in pose.placed}
    travel = {(rest.names[bone], "location"): move for bone, move in travelling(pose, path).items()}
    if options.travel is Travel.OBJECT:
        along = path @ rest.object_axes.T
        moves = {key: move - travel.get(key, 0.0) for key, move in moves.items()} | {
            OBJECT: rest.object_location + along
        }
        travel = {OBJECT: along}
    if options.in_place:
        moves = {key: move - travel.get(key, 0.0) for key, move in moves.items()}
    times, frames = _times(motion, fps or motion.fps, phase)
    if fps is not None and (fps != motion.fps or phase):
        turns = quat.resample(turns, times)
        moves, travel = ({key: _resample(move, times) for key, move in each.items()} for each in (moves, travel))

    modes = [rest.rotation_modes[bone] for bone in bones]
    channels = [
        Channel(rest.names[bone], property_of(mode), values)
        for bone, mode, values in zip(bones, modes, in_modes(turns, modes), strict=True)
    ]
    units = {bone: body.scale * _size(rest) if not bone else body.scale for bone, _ in moves}
    channels += [Channel(bone, path, move, units[bone]) for (bone, path), move in moves.items()]
    channels += finger_channels(body, options.fingers)
    channels += [
        Channel(bone, f'["{name}"]', np.array([[value]]))
        for bone, values in controls.switches.items()
        for name, value in values.items()
    ]
    # Blender's solver rather stretches a limb a little than bends it as much as wanted.
    channels += [Channel(rest.names[bone], "ik_stretch", np.zeros((1, 1))) for bone in sorted(controls.stretched)]
    ways = [Channel(bone, path, move) for (bone, path), move in travel.items()]
    if rest.mirrored:
        channels, ways = ([mirror.channel(one) for one in each] for each in (channels, ways))
    return Channels(frames, tuple(channels), tuple(ways), in_place=options.in_place)


def _size(rest: RestPose) -> float:
    """How large the object makes its armature, in the space that its location is in."""
    return float(np.linalg.norm(rest.object_axes, axis=0).mean())


def _times(motion: Motion, fps: float, phase: float) -> tuple[Array, Array]:
    """The motion's frame numbers that are keyed, and where they lie: frames of the scene after the motion's start."""
    last = (motion.frames - 1) * fps / motion.fps
    frames = np.arange(int(np.ceil(phase - 1e-9)), int(np.floor(last + phase + 1e-6)) + 1) - phase
    frames = frames if len(frames) else np.zeros(1)
    return np.clip(frames * motion.fps / fps, 0.0, motion.frames - 1.0), frames


def _turn_bones(body: Body, pose: Pose, world: Array) -> None:
    """Sets the rotation of every bone that the motion turns, given those (T, 22, 4) of the joints."""
    corrections = body.corrections
    axes, out = quat.from_matrix(body.axes), quat.from_matrix(body.to_armature)

    def turn(bone: int, rotation: Array, correction: Array) -> None:
        constant = quat.multiply(correction, quat.multiply(quat.conjugate(axes), pose.rest_rotation(bone)))
        pose.turned[bone] = quat.multiply(quat.multiply(out, rotation), constant)

    for joint, bone in body.joints.items():
        if not joint.startswith("spine"):
            turn(bone, world[:, _INDEX[joint]], corrections[joint])
    joints = {bone: joint for joint, bone in body.joints.items() if joint in SPINE}
    first_spine = next(joint for joint in SPINE if joint in body.joints)
    carries_the_legs = body.rest.carried_by(body.joints["left_hip"])
    for bone, shares in spine_shares(body).items():
        if bone in carries_the_legs:  # it is a part of the pelvis then, whatever it is called
            turn(bone, world[:, _INDEX["pelvis"]], corrections["pelvis"])
            continue
        # Neighbouring joints of a spine differ little: the mean of their quaternions is the mean rotation.
        parts = quat.continuous(np.moveaxis(world[:, [_INDEX[joint] for joint in shares]], 1, 0))
        mean = quat.unit(np.tensordot(np.array(list(shares.values())), parts, axes=1))
        turn(bone, mean, corrections[joints.get(bone, first_spine)])
    for bone in neck_bones(body):
        turn(bone, world[:, _INDEX["neck"]], corrections["neck"])


def _attach(body: Body, pose: Pose, without_keys: set[int]) -> None:
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
        if bone in without_keys:
            continue
        parent = next((one for one in ancestors(joint) if one in body.joints), None)
        if parent is None or body.joints[parent] in rest.carried_by(bone) or rest.connected[bone]:
            continue
        above = body.joints[parent]
        wanted = pose.head(above) + quat.rotate(pose.turn(above), rest.heads[bone] - rest.heads[above])
        if np.abs(wanted - pose.head(bone)).max() > limit:
            pose.place(bone, wanted)


def _resample(track: Array, times: Array) -> Array:
    """A track (T, 3) at fractional frame numbers, by Catmull-Rom splines."""
    last = len(track) - 1
    first = np.minimum(times.astype(int), max(last - 1, 0))
    u = (times - first)[:, None]
    p0, p1, p2, p3 = (track[np.clip(first + shift, 0, last)] for shift in (-1, 0, 1, 2))
    return p1 + 0.5 * u * (p2 - p0 + u * (2 * p0 - 5 * p1 + 4 * p2 - p3 + u * (3 * (p1 - p2) + p3 - p0)))
