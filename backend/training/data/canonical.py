# SPDX-License-Identifier: GPL-3.0-or-later
"""Any source skeleton -> joint positions on the canonical skeleton.

Only directions are taken from the source; bone lengths are ours, so every clip fits every other. What skeletons
disagree about most (where the hip joints lie, how the spine is cut, how shoulders hang) is not copied: the pelvis comes
from its rotation, the spine is sampled along its curve, shoulders move about our own place by the source's shrug.
Travel is scaled by leg length, so that planted feet stay planted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendError
from ...motion.features import heading
from ...motion.skeleton import (
    BONE_LENGTHS,
    FPS,
    INDEX,
    PARENTS,
    REST_OFFSETS,
    TOE_HEIGHT,
    rest_positions,
    with_bone_lengths,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = NDArray[np.floating[Any]]


class Recording(Protocol):
    """A motion file that was read: `Bvh`, or an `asf.Recording`."""

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def fps(self) -> float: ...

    def pose(self, names: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...


@dataclass(frozen=True, slots=True)
class SourceSkeleton:
    """Which joints of a source play which part. `spine` runs from above the pelvis to the base of the neck."""

    pelvis: str
    spine: tuple[str, ...]
    head: str
    shoulders: tuple[str, str]
    elbows: tuple[str, str]
    wrists: tuple[str, str]
    hips: tuple[str, str]
    knees: tuple[str, str]
    ankles: tuple[str, str]
    toes: tuple[str, str]
    pelvis_pitch: float | None = None
    """Degrees about the pelvis bone's own side axis from the bone to an upright body (0 where the rest pose is one).
    None: the pelvis is turned as the hips and the spine above them say."""
    foot_pitch: float | None = None
    """Degrees that the ankle-to-toe line points down when the foot stands flat. None: as in the clip's own steps."""
    shoulder_rest: tuple[float, float, float] | None = None
    """Left shoulder from the base of the neck in the chest's frame (left, up, forward), relaxed; scaled metres. None:
    where it mostly is in the clip."""

    @property
    def joints(self) -> list[str]:
        """All names, pelvis, spine and head first."""
        pairs = (self.shoulders, self.elbows, self.wrists, self.hips, self.knees, self.ankles, self.toes)
        return [self.pelvis, *self.spine, self.head, *(name for pair in pairs for name in pair)]


MAX_JERK: Final = 4000.0
"""Metres a second cubed."""

_FOOT: Final = REST_OFFSETS[INDEX["left_foot"]]
_SHOULDER: Final = rest_positions()[INDEX["left_shoulder"]] - rest_positions()[INDEX["neck"]]

SKELETONS: Final[dict[str, SourceSkeleton]] = {
    "cmu31": SourceSkeleton(
        pelvis="Hips",
        spine=("Spine", "Spine1", "Neck", "Neck1"),
        head="Head",
        shoulders=("LeftArm", "RightArm"),
        elbows=("LeftForeArm", "RightForeArm"),
        wrists=("LeftHand", "RightHand"),
        hips=("LeftUpLeg", "RightUpLeg"),
        knees=("LeftLeg", "RightLeg"),
        ankles=("LeftFoot", "RightFoot"),
        toes=("LeftToeBase", "RightToeBase"),
        pelvis_pitch=0.0,
        foot_pitch=17.0,
        shoulder_rest=(0.17, -0.03, 0.01),
    ),
    "daz43": SourceSkeleton(
        pelvis="hip",
        spine=("abdomen", "chest", "neck"),
        head="head",
        shoulders=("lShldr", "rShldr"),
        elbows=("lForeArm", "rForeArm"),
        wrists=("lHand", "rHand"),
        hips=("lThigh", "rThigh"),
        knees=("lShin", "rShin"),
        ankles=("lFoot", "rFoot"),
        toes=("lFoot.end", "rFoot.end"),
        pelvis_pitch=0.0,
        foot_pitch=14.0,
        shoulder_rest=(0.11, -0.045, -0.015),
    ),
    "rigify": SourceSkeleton(
        pelvis="DEF-hips",
        spine=("DEF-spine.001", "DEF-spine.002", "DEF-spine.003", "DEF-neck"),
        head="DEF-head",
        shoulders=("DEF-upper_arm.L", "DEF-upper_arm.R"),
        elbows=("DEF-forearm.L", "DEF-forearm.R"),
        wrists=("DEF-hand.L", "DEF-hand.R"),
        hips=("DEF-thigh.L", "DEF-thigh.R"),
        knees=("DEF-shin.L", "DEF-shin.R"),
        ankles=("DEF-foot.L", "DEF-foot.R"),
        toes=("DEF-toe.L", "DEF-toe.R"),
        pelvis_pitch=-14.5,
        foot_pitch=31.0,
        shoulder_rest=(0.18, -0.05, -0.05),
    ),
    "unreal": SourceSkeleton(
        pelvis="pelvis",
        spine=("spine_01", "spine_02", "spine_03", "neck_01"),
        head="head",
        shoulders=("upperarm_l", "upperarm_r"),
        elbows=("lowerarm_l", "lowerarm_r"),
        wrists=("hand_l", "hand_r"),
        hips=("thigh_l", "thigh_r"),
        knees=("calf_l", "calf_r"),
        ankles=("foot_l", "foot_r"),
        toes=("ball_l", "ball_r"),
        pelvis_pitch=-14.5,
        foot_pitch=31.0,
        shoulder_rest=(0.18, -0.05, -0.05),
    ),
    "cmu_asf": SourceSkeleton(  # the same as cmu31 by the names of the original files
        pelvis="root",
        spine=("upperback", "thorax", "lowerneck", "upperneck"),
        head="head",
        shoulders=("lhumerus", "rhumerus"),
        elbows=("lradius", "rradius"),
        wrists=("lwrist", "rwrist"),
        hips=("lfemur", "rfemur"),
        knees=("ltibia", "rtibia"),
        ankles=("lfoot", "rfoot"),
        toes=("ltoes", "rtoes"),
        pelvis_pitch=0.0,
        foot_pitch=17.0,
        shoulder_rest=(0.17, -0.03, 0.01),
    ),
    "canonical": SourceSkeleton(  # our own, as `generate` writes it
        pelvis="pelvis",
        spine=("spine1", "spine2", "spine3", "neck"),
        head="head",
        shoulders=("left_shoulder", "right_shoulder"),
        elbows=("left_elbow", "right_elbow"),
        wrists=("left_wrist", "right_wrist"),
        hips=("left_hip", "right_hip"),
        knees=("left_knee", "right_knee"),
        ankles=("left_ankle", "right_ankle"),
        toes=("left_foot", "right_foot"),
        pelvis_pitch=0.0,
        foot_pitch=float(np.degrees(np.arctan2(-_FOOT[1], _FOOT[2]))),
        shoulder_rest=(float(_SHOULDER[0]), float(_SHOULDER[1]), float(_SHOULDER[2])),
    ),
    # Skeletons of which no calibrated figures are known: those are estimated from each clip.
    "mixamo": SourceSkeleton(
        pelvis="Hips",
        spine=("Spine", "Spine1", "Spine2", "Neck"),
        head="Head",
        shoulders=("LeftArm", "RightArm"),
        elbows=("LeftForeArm", "RightForeArm"),
        wrists=("LeftHand", "RightHand"),
        hips=("LeftUpLeg", "RightUpLeg"),
        knees=("LeftLeg", "RightLeg"),
        ankles=("LeftFoot", "RightFoot"),
        toes=("LeftToeBase", "RightToeBase"),
    ),
    "lafan": SourceSkeleton(
        pelvis="Hips",
        spine=("Spine", "Spine1", "Spine2", "Neck"),
        head="Head",
        shoulders=("LeftArm", "RightArm"),
        elbows=("LeftForeArm", "RightForeArm"),
        wrists=("LeftHand", "RightHand"),
        hips=("LeftUpLeg", "RightUpLeg"),
        knees=("LeftLeg", "RightLeg"),
        ankles=("LeftFoot", "RightFoot"),
        toes=("LeftToe", "RightToe"),
    ),
    "bandai_namco": SourceSkeleton(
        pelvis="Hips",
        spine=("Spine", "Chest", "Neck"),
        head="Head",
        shoulders=("UpperArm_L", "UpperArm_R"),
        elbows=("LowerArm_L", "LowerArm_R"),
        wrists=("Hand_L", "Hand_R"),
        hips=("UpperLeg_L", "UpperLeg_R"),
        knees=("LowerLeg_L", "LowerLeg_R"),
        ankles=("Foot_L", "Foot_R"),
        toes=("Toes_L", "Toes_R"),
    ),
}


def source_skeleton(bvh: Recording) -> SourceSkeleton:
    """The known skeleton whose joints the file has. Raises BackendError when it has none of them."""
    plain = {_plain(name) for name in bvh.names}
    for skeleton in SKELETONS.values():
        if plain.issuperset(skeleton.joints):
            return skeleton
    raise BackendError(
        "unknown_skeleton",
        f"The joints of this file ({', '.join(bvh.names[:4])}, ...) belong to no skeleton that is known here.",
        f"Describe it in SKELETONS of {__name__}.",
    )


def canonical_positions(bvh: Recording) -> Array:
    """(T, 22, 3) metres at 20 fps: on the floor at Y = 0, over the origin and facing +Z at frame 0."""
    source = source_skeleton(bvh)
    called = {_plain(name): name for name in reversed(bvh.names)}
    world, rotations = bvh.pose([called[name] for name in source.joints])
    place = dict(zip(source.joints, world.transpose(1, 0, 2), strict=True))

    leg = np.median(_length(place[source.knees[0]] - place[source.hips[0]])) + np.median(
        _length(place[source.ankles[0]] - place[source.knees[0]])
    )
    scale = (BONE_LENGTHS[INDEX["left_knee"]] + BONE_LENGTHS[INDEX["left_ankle"]]) / leg
    place = {name: positions * scale for name, positions in place.items()}

    joints = np.empty((len(world), 22, 3))
    hips_middle = 0.5 * (place[source.hips[0]] + place[source.hips[1]])
    if source.pelvis_pitch is None:
        pelvis_turn = _frames(place[source.hips[0]] - place[source.hips[1]], place[source.spine[0]] - hips_middle)
    else:
        pitch = np.radians(source.pelvis_pitch)
        cos, sin = np.cos(pitch), np.sin(pitch)
        pelvis_turn = rotations[:, 0] @ np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])
    foot_pitch = _standing_pitch(place, source, bvh.fps) if source.foot_pitch is None else source.foot_pitch
    offset = REST_OFFSETS[INDEX["left_hip"]] * [0.0, 1.0, 1.0]
    joints[:, 0] = hips_middle - pelvis_turn @ offset
    for side, hip in enumerate(("left_hip", "right_hip")):
        joints[:, INDEX[hip]] = joints[:, 0] + pelvis_turn @ REST_OFFSETS[INDEX[hip]]
        _grow(joints, hip, "knee", place[source.knees[side]] - place[source.hips[side]])
        shin = place[source.ankles[side]] - place[source.knees[side]]
        _grow(joints, hip, "ankle", shin)
        foot = _pitched(place[source.toes[side]] - place[source.ankles[side]], shin, foot_pitch)
        _grow(joints, hip, "foot", foot)

    spine = np.stack([joints[:, 0], *(place[name] for name in source.spine)], axis=1)
    _spread_spine(joints, spine)
    neck = INDEX["neck"]
    joints[:, INDEX["head"]] = joints[:, neck] + BONE_LENGTHS[INDEX["head"]] * _unit(
        place[source.head] - place[source.spine[-1]]
    )
    _hang_shoulders(joints, [place[name] for name in source.shoulders], place[source.spine[-1]], source.shoulder_rest)
    for side, shoulder in enumerate(("left_shoulder", "right_shoulder")):
        _grow(joints, shoulder, "elbow", place[source.elbows[side]] - place[source.shoulders[side]])
        _grow(joints, shoulder, "wrist", place[source.wrists[side]] - place[source.elbows[side]])
    return grounded(without_t_pose(resampled(joints, bvh.fps)))


def resampled(joints: Array, fps: float) -> Array:
    """(T, 22, 3) at `fps` -> at 20 fps, bone lengths kept."""
    times = np.arange(0.0, (len(joints) - 1) / fps + 1e-9, 1.0 / FPS)
    at = np.clip(times * fps, 0, len(joints) - 1)
    low = np.floor(at + 1e-6).astype(int)
    high = np.minimum(low + 1, len(joints) - 1)
    share = np.clip(at - low, 0.0, 1.0)[:, None, None]
    return with_bone_lengths((1.0 - share) * joints[low] + share * joints[high])


def without_t_pose(joints: Array) -> Array:
    """The clip less the calibration pose with which many recordings begin and end."""
    arms = (
        joints[:, [INDEX["left_wrist"], INDEX["right_wrist"]]]
        - joints[:, [INDEX["left_shoulder"], INDEX["right_shoulder"]]]
    )
    stretched = (np.abs(arms[..., 1]) < 0.2).all(-1) & (_length(arms) > 0.45).all(-1)
    stretched &= _length(arms[:, 0] - arms[:, 1]) > 0.98  # apart, not both forward
    moving = np.flatnonzero(~stretched)
    if len(moving) < len(joints) // 2:
        return joints
    return joints[moving[0] : moving[-1] + 1]


def without_glitches(joints: Array, shortest: int = 40) -> list[Array]:
    """The clip cut where the whole body jumps within a frame, which is a fault of the file; pieces that are too short
    are dropped. A sprint's or a kick's jerk (third derivative, mean over joints) stays below a third of the limit."""
    jerk = np.linalg.norm(np.diff(joints, 3, axis=0), axis=-1).mean(axis=1) * FPS**3
    faults = np.flatnonzero(jerk > MAX_JERK)
    edges = [0, *(edge for fault in faults for edge in (int(fault), int(fault) + 4)), len(joints)]
    pieces = [joints[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    return [grounded(piece) for piece in pieces if len(piece) >= shortest] if len(faults) else [joints]


def grounded(joints: Array) -> Array:
    """Frame 0 over the origin facing +Z; the lowest joint usually at toe height (3rd percentile, so that a jump's
    landing or one noisy frame does not decide)."""
    yaw = -heading(joints)[0]
    turn = np.array([[np.cos(yaw), 0.0, np.sin(yaw)], [0.0, 1.0, 0.0], [-np.sin(yaw), 0.0, np.cos(yaw)]])
    placed = (joints - joints[:1, :1] * [1.0, 0.0, 1.0]) @ turn.T
    placed[..., 1] += TOE_HEIGHT - np.percentile(placed[..., 1].min(axis=1), 3)
    return placed


def _grow(joints: Array, root: str, child: str, direction: Array) -> None:
    index = INDEX[f"{root.partition('_')[0]}_{child}"]
    joints[:, index] = joints[:, PARENTS[index]] + BONE_LENGTHS[index] * _unit(direction)


def _pitched(foot: Array, shin: Array, pitch: float) -> Array:
    """Turn ankle-to-toe about the foot's own side axis so that a flat source foot gives a flat canonical foot."""
    rest = REST_OFFSETS[INDEX["left_foot"]]
    angle = np.radians(pitch) - np.arctan2(-rest[1], rest[2])
    axis = _unit(np.cross(shin, foot))
    # Rodrigues' rotation; `foot` is perpendicular to the axis. Positive lifts the toe.
    return np.cos(angle) * foot + np.sin(angle) * np.cross(axis, foot)


def _spread_spine(joints: Array, curve: Array) -> None:
    chain = [INDEX[name] for name in ("spine1", "spine2", "spine3", "neck")]
    lengths = _length(np.diff(curve, axis=1)).mean(axis=0)
    stops = np.concatenate([[0.0], np.cumsum(lengths)]) / lengths.sum()
    wanted = np.cumsum(BONE_LENGTHS[chain])
    previous = curve[:, 0]
    for joint, fraction in zip(chain, wanted / wanted[-1], strict=True):
        segment = min(int(np.searchsorted(stops, fraction - 1e-9, side="right")) - 1, len(stops) - 2)
        share = (fraction - stops[segment]) / (stops[segment + 1] - stops[segment])
        point = (1.0 - share) * curve[:, segment] + share * curve[:, segment + 1]
        joints[:, joint] = joints[:, PARENTS[joint]] + BONE_LENGTHS[joint] * _unit(point - previous)
        previous = point


def _hang_shoulders(
    joints: Array, shoulders: list[Array], neck: Array, rest: tuple[float, float, float] | None
) -> None:
    spine3 = joints[:, INDEX["spine3"]]
    chest = _frames(shoulders[0] - shoulders[1], joints[:, INDEX["neck"]] - spine3)
    ours = rest_positions()
    for side, name in enumerate(("left", "right")):
        mirror = np.array([1.0, 1.0, 1.0] if side == 0 else [-1.0, 1.0, 1.0])
        hanging = np.einsum("tji,tj->ti", chest, shoulders[side] - neck)
        shrug = hanging - (np.median(hanging, axis=0) if rest is None else np.array(rest) * mirror)
        collar, shoulder = INDEX[f"{name}_collar"], INDEX[f"{name}_shoulder"]
        joints[:, collar] = spine3 + np.einsum("tij,j->ti", chest, REST_OFFSETS[collar])
        target = spine3 + np.einsum("tij,tj->ti", chest, ours[shoulder] - ours[INDEX["spine3"]] + shrug)
        joints[:, shoulder] = joints[:, collar] + BONE_LENGTHS[shoulder] * _unit(target - joints[:, collar])


def _standing_pitch(place: dict[str, Array], source: SourceSkeleton, fps: float) -> float:
    """Degrees that the feet point down while they stand: where toes are slow and nearly as low as they get. Ours, of
    feet that never stand."""
    pitches = []
    for ankle, toe in zip(source.ankles, source.toes, strict=True):
        speed = _length(np.gradient(place[toe], axis=0)) * fps if len(place[toe]) > 1 else np.zeros(1)
        foot = place[toe] - place[ankle]
        low = np.minimum(place[toe][:, 1], place[ankle][:, 1])
        stands = (speed < 0.3) & (low < np.percentile(low, 5) + 0.03)
        pitches.append(np.degrees(np.arcsin(np.clip(-_unit(foot)[stands, 1], -1.0, 1.0))))
    found = np.concatenate(pitches)
    return float(np.median(found)) if len(found) else float(np.degrees(np.arctan2(-_FOOT[1], _FOOT[2])))


def _frames(left: Array, up: Array) -> Array:
    """(T, 3) each -> (T, 3, 3): columns point left, up (as far as it is upright to the left) and forward."""
    left = _unit(left)
    up = _unit(up - left * (up * left).sum(-1, keepdims=True))
    return np.stack([left, up, np.cross(left, up)], axis=-1)


def _plain(name: str) -> str:
    """ "mixamorig:Hips" -> "Hips"."""
    return name.rpartition(":")[2]


def _length(vectors: Array) -> Array:
    return np.linalg.norm(vectors, axis=-1)


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(_length(vectors), 1e-9)[..., None]
