# SPDX-License-Identifier: GPL-3.0-or-later
"""Foot contacts, and holding a foot that is in contact where it is.

The floor is Y = 0. A foot has two contact points, ankle and toe, in the order of `skeleton.CONTACT_JOINTS`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import quaternions as quat
from .skeleton import INDEX, REST_OFFSETS, TOE_HEIGHT

Array = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

ANKLE_HEIGHT: Final[float] = TOE_HEIGHT - float(REST_OFFSETS[INDEX["left_foot"], 1])
"""Height of the ankle joints above the floor when a foot stands flat, metres."""

# In contact for certain below the first value, not any more above the second.
_SPEED: Final = (0.25, 0.60)  # metres a second
_LIFT: Final = (0.04, 0.10)  # metres above the height of a flat foot

_ENTER, _LEAVE = 0.6, 0.4  # hysteresis of the labels
_SHORTEST: Final = 0.1  # seconds; a shorter contact is a touch in passing, a shorter gap is noise
_BLEND: Final = 0.2  # seconds that a correction takes to come and go
_SWING: Final = 0.6  # the same where a foot must get to a place that is given: as long as a step in the air
_ON_FLOOR: Final = 0.06  # metres above a flat foot up to which a contact counts as one with the floor
# A label that says "contact" of a foot this fast (metres a second, along the floor and upwards) or this steep is wrong.
_TOO_FAST, _TOO_LIVELY = 1.2, 0.5
_STEEPEST: Final = float(np.sin(np.radians(65.0)))
_FORWARDS: Final = 0.03  # metres that a toe stays ahead of its ankle
_UP: Final = np.array([0.0, 1.0, 0.0])
_STRETCH: Final = 0.999  # of the leg's length: how far a foot can be from its hip


class _Leg(NamedTuple):
    hip: int
    knee: int
    ankle: int
    toe: int


_LEGS: Final = tuple(
    _Leg(*(INDEX[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle", "foot"))) for side in ("left", "right")
)


def detect_contacts(positions: Array, fps: float) -> Array:
    """How surely each of the four foot points stands on the floor (T, 4; 0..1; float32), from height and speed.

    `positions` (T, 22, 3) in metres, Y up, floor at Y = 0.
    """
    points = np.stack(
        [positions[:, joint] for leg in _LEGS for joint in (leg.ankle, leg.toe)], axis=1, dtype=np.float64
    )
    rest = np.array([ANKLE_HEIGHT, TOE_HEIGHT] * 2)
    slow = 1.0 - _ramp(_speed(points, fps), *_SPEED)
    low = 1.0 - _ramp(points[..., 1] - rest, *_LIFT)
    return (slow * low).astype(np.float32)


def lock_feet(positions: Array, contacts: Array, fps: float, given: Mask | None = None) -> Array:
    """The same motion with feet that stay where they are while in contact: positions (T, 22, 3; float32), metres.

    `contacts` (T, 4) are the labels of `Motion.contacts`; where none is set they are detected. Only knees, ankles
    and toes move, after one vertical shift of the whole body that puts the standing feet onto the floor. The
    bend plane of each leg and all bone lengths of hip, knee, ankle and toe are kept; a foot out of reach goes as far
    as the leg does. A foot well above the floor is held in place where it is, never pulled down. Locking twice changes
    nothing more.

    `given` frames (T,) are as they must be: a foot that stands in some of them stands there, and nothing is shifted.
    """
    p = np.array(positions, dtype=np.float64)
    spans = [_runs(channel > 0.5) for channel in held_contacts(p, contacts, fps).T]
    if given is None:
        p[..., 1] -= _hover(p, spans)

    given = np.zeros(len(p), np.bool_) if given is None else given
    blend = max(1, round((_SWING if given.any() else _BLEND) * fps))
    for leg, (ankle_spans, toe_spans) in zip(_LEGS, (spans[:2], spans[2:]), strict=True):
        foot = float(np.linalg.norm(p[:, leg.toe] - p[:, leg.ankle], axis=-1).mean())
        toe_anchors = _anchors(p[:, leg.toe], toe_spans, TOE_HEIGHT, given)
        toe_shift, toe_hold = _held(p[:, leg.toe], toe_spans, toe_anchors, blend, given)
        toe = _above(p[:, leg.toe] + toe_shift, TOE_HEIGHT)
        # The ankle goes with the toe and has its own correction on top, so a rolling foot stays in one piece.
        ankle = p[:, leg.ankle] + toe_shift
        ankle_anchors = _anchors(ankle, ankle_spans, ANKLE_HEIGHT, given)
        for span, anchor in zip(ankle_spans, ankle_anchors, strict=True):
            standing = toe[span][toe_hold[span, 0] == 1.0]
            # A flat foot: its length decides how far the ankle is from the toe.
            if len(standing) and not given[span].any():
                anchor[:] = _towards(standing[len(standing) // 2], anchor, foot)
        ankle_shift, ankle_hold = _held(ankle, ankle_spans, ankle_anchors, blend, given)
        ankle = _above(ankle + ankle_shift, TOE_HEIGHT)
        # A foot that stands on its toe alone turns about the toe.
        ankle += np.where(ankle_hold == 1.0, 0.0, toe_hold) * (_towards(toe, ankle, foot) - ankle)
        ankle += toe_hold * (_with_the_heel_up(p, leg, ankle, toe, foot) - ankle)
        _reach(p, leg, ankle, toe)
    return p.astype(np.float32)


def held_contacts(positions: Array, contacts: Array, fps: float) -> Array:
    """The contacts (T, 4; 0 or 1; float32) that `lock_feet` holds, given the same arguments: labels with hysteresis,
    without touches in passing, and without feet that move too fast to stand.
    """
    labels = np.asarray(contacts)
    if not (labels > _ENTER).any():
        labels = detect_contacts(positions, fps)
    held = np.zeros(labels.shape, dtype=np.float32)
    for channel, spans in enumerate(_contact_spans(np.asarray(positions, dtype=np.float64), labels, fps)):
        for span in spans:
            held[span, channel] = 1.0
    return held


def foot_slide(positions: Array, contacts: Array, fps: float) -> float:
    """Mean speed along the floor, metres a second, of foot points that are in contact (label over 0.5 at both ends of
    a step); 0 where none ever is. `positions` (T, 22, 3), `contacts` (T, 4).
    """
    points = np.stack(
        [positions[:, joint] for leg in _LEGS for joint in (leg.ankle, leg.toe)], axis=1, dtype=np.float64
    )
    steps = np.linalg.norm(np.diff(points[..., [0, 2]], axis=0), axis=-1) * fps
    standing = (contacts[1:] > 0.5) & (contacts[:-1] > 0.5)
    return float(steps[standing].mean()) if standing.any() else 0.0


def _speed(points: Array, fps: float) -> Array:
    """Speed (T, n), metres a second, over the two steps around each frame."""
    if len(points) < 2:
        return np.zeros(points.shape[:-1])
    return np.linalg.norm(np.gradient(points, axis=0), axis=-1) * fps


def _ramp(x: Array, low: float, high: float) -> Array:
    x = np.clip((x - low) / (high - low), 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def _contact_spans(p: Array, labels: Array, fps: float) -> list[list[slice]]:
    """For each of the four foot points the stretches of frames in which it is held."""
    shortest = max(2, round(_SHORTEST * fps))
    found = []
    for channel, (leg, joint) in enumerate((one, point) for one in _LEGS for point in (one.ankle, one.toe)):
        along, upwards = _speed(p[:, joint, [0, 2]], fps), _speed(p[:, joint, [1]], fps)
        on = _hysteresis(labels[:, channel]) & (along < _TOO_FAST) & (upwards < _TOO_LIVELY)
        if joint == leg.toe:
            foot = p[:, leg.toe] - p[:, leg.ankle]
            on &= -foot[:, 1] < _STEEPEST * np.linalg.norm(foot, axis=-1)
        found.append(_runs(_without_short(_without_short(on, False, shortest), True, shortest)))
    return found


def _hysteresis(label: Array) -> Mask:
    """On from above _ENTER until below _LEAVE."""
    decided = np.where(label > _ENTER, 1, np.where(label < _LEAVE, 0, -1))
    decided[0] = label[0] >= 0.5 if decided[0] < 0 else decided[0]
    last = np.maximum.accumulate(np.where(decided >= 0, np.arange(len(label)), 0))
    return decided[last] == 1


def _runs(on: Mask) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], on, [False])).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _without_short(on: Mask, value: bool, shortest: int) -> Mask:
    """Runs of `value` shorter than `shortest` frames flipped, but for those at the clip's ends."""
    on = on.copy()
    for run in _runs(on == value):
        if run.stop - run.start < shortest and run.start > 0 and run.stop < len(on):
            on[run] = not value
    return on


def _hover(p: Array, spans: list[list[slice]]) -> float:
    """How far the standing toes are above (or below) the height of a flat foot; 0 if they are not near the floor."""
    heights = [p[span, leg.toe, 1] for leg, own in zip(_LEGS, (spans[1], spans[3]), strict=True) for span in own]
    if not heights:
        return 0.0
    hover = float(np.median(np.concatenate(heights))) - TOE_HEIGHT
    return hover if abs(hover) < _ON_FLOOR else 0.0


def _anchors(track: Array, spans: list[slice], flat: float, given: Mask) -> list[Array]:
    """Where a foot point stands in each span: where it does in `given` frames, on the floor when it is near it, else at
    its own height.
    """
    anchors = []
    for span in spans:
        if given[span].any():
            anchors.append(np.median(track[span][given[span]], axis=0))
            continue
        # The median, not the mean: a track that is held already has it exactly there.
        anchor = np.median(track[span], axis=0)
        if anchor[1] - flat < _ON_FLOOR:
            anchor[1] = flat
        anchors.append(anchor)
    return anchors


def _held(track: Array, spans: list[slice], anchors: list[Array], blend: int, given: Mask) -> tuple[Array, Array]:
    """Shifts (T, 3) that hold `track` at the anchor of each span and fade within `blend` frames around it, and the
    weight (T, 1) of the hold: 1 in spans, fading in the same way. Both have faded where frames (T,) are `given`.
    """
    held = np.zeros((len(track), 4))
    free_from, before = 0, np.zeros(4)
    for span, anchor in zip(spans, anchors, strict=True):
        held[span, :3] = anchor - track[span]
        held[span, 3] = 1.0
        gap = slice(free_from, span.start)
        _bridge(held[gap], before, held[span.start], blend, given[gap])
        free_from, before = span.stop, held[span.stop - 1]
    _bridge(held[free_from:], before, np.zeros(4), blend, given[free_from:])
    return held[:, :3], held[:, 3:]


def _bridge(gap: Array, before: Array, after: Array, blend: int, given: Mask) -> None:
    """Fills the frames between two spans, in place, with the fade of the one before and that of the one after."""
    gap[:] = _fade(given, blend) * before + _fade(given[::-1], blend)[::-1] * after


def _fade(given: Mask, blend: int) -> Array:
    """(n, 1): from 1 before the first frame to 0 within `blend` frames, or by the first one that is given."""
    room = int(given.argmax()) if given.any() else len(given)
    frames = np.arange(1, len(given) + 1, dtype=np.float64)[:, None]
    return 1.0 - _ramp(frames / (min(blend, room) + 1), 0.0, 1.0)


def _towards(center: Array, point: Array, radius: float) -> Array:
    """The point moved to the distance `radius` from `center`."""
    return center + radius * quat.unit(point - center)


def _above(track: Array, height: float) -> Array:
    """The track lifted to `height` wherever it is below."""
    lifted = track.copy()
    lifted[:, 1] = np.maximum(lifted[:, 1], height)
    return lifted


def _with_the_heel_up(p: Array, leg: _Leg, ankle: Array, toe: Array, foot: float) -> Array:
    """The ankle where the leg can reach it while the toe stays: further up around the toe, as a heel lifts."""
    hip, knee = p[:, leg.hip], p[:, leg.knee]
    length = np.linalg.norm(knee - hip, axis=-1, keepdims=True) + np.linalg.norm(
        p[:, leg.ankle] - knee, axis=-1, keepdims=True
    )
    reach = _STRETCH * length
    # The two spheres, around toe and hip, meet in a circle; its point nearest to the target is wanted.
    apart = np.linalg.norm(hip - toe, axis=-1, keepdims=True)
    along = (hip - toe) / np.maximum(apart, 1e-9)
    middle = np.clip((foot**2 - reach**2 + apart**2) / (2.0 * np.maximum(apart, 1e-9)), -foot, foot)
    center = toe + middle * along
    aside = ankle - center
    aside = quat.unit(aside - np.sum(aside * along, axis=-1, keepdims=True) * along)
    lifted = center + _other_leg(foot, middle) * aside
    return np.where(np.linalg.norm(ankle - hip, axis=-1, keepdims=True) > reach, lifted, ankle)


def _reach(p: Array, leg: _Leg, ankle: Array, toe: Array) -> None:
    """Two-bone inverse kinematics, in place: the ankle goes to its target and the foot points to the toe's target."""
    hip, knee = p[:, leg.hip], p[:, leg.knee]
    thigh = np.linalg.norm(knee - hip, axis=-1, keepdims=True)
    shin = np.linalg.norm(p[:, leg.ankle] - knee, axis=-1, keepdims=True)
    before = p[:, leg.toe] - p[:, leg.ankle]
    foot = np.linalg.norm(before, axis=-1, keepdims=True)

    way = ankle - hip
    wanted = np.linalg.norm(way, axis=-1, keepdims=True)
    longest = np.maximum(_STRETCH * (thigh + shin), np.linalg.norm(p[:, leg.ankle] - hip, axis=-1, keepdims=True))
    distance = np.clip(wanted, np.abs(thigh - shin) + 1e-6, longest)
    along = way / np.maximum(wanted, 1e-9)

    # The knee stays on its side of the line from hip to ankle; the turn of that line carries a straight leg's side.
    turn = quat.between(quat.unit(p[:, leg.ankle] - hip), along)
    side = quat.rotate(turn, knee - hip)
    side -= np.sum(side * along, axis=-1, keepdims=True) * along
    forward = quat.rotate(turn, quat.cross(p[:, INDEX["left_hip"]] - p[:, INDEX["right_hip"]], _UP))
    forward -= np.sum(forward * along, axis=-1, keepdims=True) * along
    side = quat.unit(side + 1e-3 * quat.unit(forward))

    base = (thigh**2 + distance**2 - shin**2) / np.maximum(2.0 * distance, 1e-9)
    height = _other_leg(thigh, base)
    p[:, leg.knee] = hip + base * along + height * side
    p[:, leg.ankle] = hip + distance * along
    # The toe keeps its height, which is the floor's, the foot its length, and neither stands the foot on its tip nor
    # turns it back.
    before = before / np.maximum(foot, 1e-9)
    steepest = np.maximum(_STEEPEST, np.abs(before[:, 1:2])) * foot
    rise = np.clip(toe[:, 1:2] - p[:, leg.ankle, 1:2], -steepest, steepest)
    heading = quat.unit(before * [1.0, 0.0, 1.0])
    level = (toe - p[:, leg.ankle]) * [1.0, 0.0, 1.0]
    level += np.maximum(0.0, _FORWARDS - np.sum(level * heading, axis=-1, keepdims=True)) * heading
    p[:, leg.toe] = p[:, leg.ankle] + rise * [0.0, 1.0, 0.0] + _other_leg(foot, rise) * quat.unit(level)


def _other_leg(longest: Array | float, leg: Array) -> Array:
    """The third side of a right-angled triangle; 0 where rounding or a broken limb leaves no triangle."""
    return np.sqrt(np.maximum(np.square(longest) - np.square(leg), 0.0))
