# SPDX-License-Identifier: GPL-3.0-or-later
"""`Source`: a motion made ready for a rig: on the floor, its feet at rest while they stand, as large as wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ..shared import contacts, features, rotations, skeleton

if TYPE_CHECKING:
    from ..shared import Motion
    from .options import Options

Array = NDArray[np.floating[Any]]

_LABELLED: Final = 0.6
_SLIDES: Final = 0.02  # metres a second: what comes from the backend stands more firmly
_EASE: Final = 0.1  # seconds
_PATH: Final = 0.6  # seconds (sigma): steps and sway are quicker than the way that the body takes
_HIPS: Final = [skeleton.INDEX["left_hip"], skeleton.INDEX["right_hip"]]
_LEGS: Final = [
    skeleton.INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("hip", "knee", "ankle", "foot")
]
_GROUND: Final = np.array([1.0, 0.0, 1.0])
_FLAT: Final = np.array([[0.0, height, 0.0] for height in (contacts.ANKLE_HEIGHT, skeleton.TOE_HEIGHT) * 2])
_UPRIGHT: Final = np.array([0.0, float(skeleton.rest_positions()[_HIPS, 1].mean()), 0.0])


@dataclass(frozen=True, eq=False)
class Source:
    """`world` rotations (T, 22, 4) of the joints against the T-pose, `feet` (T, 4, 3) the points of
    `skeleton.CONTACT_JOINTS`, `contacts` (T, 4; 0 or 1) and `hips` (T, 3), the point between the hip joints;
    canonical axes, metres. `path` (T, 3) is the smooth way of the hips along the ground, from where it begins.
    `labelled` says whether the motion knew its contacts; else they were detected.
    """

    fps: float
    world: Array
    feet: Array
    contacts: Array
    hips: Array
    path: Array
    labelled: bool

    def standing(self) -> dict[str, Array]:
        """For each side how much (T; 0..1) its foot stands: fully while a point of it is in contact, and less and less
        before and after.
        """
        width = max(1, round(_EASE * self.fps))
        window = np.hanning(2 * width + 3)[1:-1]
        held = np.maximum(self.contacts[:, [0, 2]], self.contacts[:, [1, 3]])
        padded = np.pad(held, ((2 * width, 2 * width), (0, 0)), mode="edge")
        near = np.lib.stride_tricks.sliding_window_view(padded, 2 * width + 1, axis=0).max(axis=-1)
        left, right = (np.convolve(side, window / window.sum(), mode="valid") for side in near.T)
        return {"left": left, "right": right}


def prepared(motion: Motion, options: Options) -> Source:
    """The motion as `Source`. Feet that slide in contact though the motion is labelled are locked first."""
    positions = motion.positions.astype(np.float64)
    world = rotations.world_rotations(motion.rotations)
    held = contacts.held_contacts(motion.positions, motion.contacts, motion.fps)
    if options.foot_lock > 0.0 and _slide(motion) > _SLIDES:
        locked = contacts.lock_feet(motion.positions, motion.contacts, motion.fps).astype(np.float64)
        positions += options.foot_lock * (locked - positions)
        again = rotations.world_rotations(rotations.rotations_from_positions(positions))
        world[:, _LEGS] = again[:, _LEGS]
    feet = positions[:, list(skeleton.CONTACT_JOINTS)]
    hips = positions[:, _HIPS].mean(axis=1)
    labelled = bool(motion.contacts.max() > _LABELLED)
    above = _first_contact(feet, held) if labelled else 0.0
    size = np.array([options.stride, options.vertical, options.stride])
    feet = (feet - _FLAT - [0.0, above, 0.0]) * size + _FLAT
    hips = (hips - _UPRIGHT - [0.0, above, 0.0]) * size + _UPRIGHT
    return Source(motion.fps, world, feet, held, hips, ground_path(hips, motion.fps), labelled)


def ground_path(hips: Array, fps: float) -> Array:
    """The smooth way (T, 3) of the hips (T, 3) along the ground, from where it begins: without steps and sway."""
    way = (hips - hips[:1]) * _GROUND
    # A straight walk stays as it is up to its ends: they are continued by their mirror image.
    pad = min(len(way) - 1, round(3.0 * _PATH * fps))
    ends = (2.0 * way[:1] - way[pad:0:-1], way, 2.0 * way[-1:] - way[-2 : -pad - 2 : -1])
    smooth = features.smooth(np.concatenate(ends), _PATH * fps)[pad : pad + len(way)]
    return smooth - smooth[:1]


def _slide(motion: Motion) -> float:
    """Mean speed along the ground, metres a second, of foot points while they are labelled as standing."""
    held = motion.contacts > _LABELLED
    both = held[1:] & held[:-1]
    if not both.any():
        return 0.0
    points = motion.positions[:, list(skeleton.CONTACT_JOINTS)][..., [0, 2]].astype(np.float64)
    return float((np.linalg.norm(np.diff(points, axis=0), axis=-1) * motion.fps)[both].mean())


def _first_contact(feet: Array, held: Array) -> float:
    """How high above the floor the motion's first contact is, metres; 0 where there is none."""
    standing = held > 0.5
    if not standing.any():
        return 0.0
    first = int(np.argmax(standing.any(axis=1)))
    foot = [0, 1] if standing[first, :2].any() else [2, 3]
    on = standing[first:, foot]
    on = on[: int(np.argmin(on.any(axis=1))) or len(on)]
    heights = np.where(on, (feet - _FLAT)[first : first + len(on), foot, 1], np.inf)
    return float(np.median(heights.min(axis=1)))
