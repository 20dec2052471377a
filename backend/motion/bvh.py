# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading BVH files: hierarchy, channels, forward kinematics. Vectorised over frames."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = NDArray[np.float64]

MAX_POSES: Final = 6_000_000
"""Joints times frames: ten minutes of 80 joints at 120 frames a second."""
HEADING: Final = 10_000
_AXES = {"X": 0, "Y": 1, "Z": 2}


@dataclass(frozen=True, slots=True, eq=False)
class Bvh:
    """A parsed file. End sites are joints too, named after their parent with ".end"."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Array
    channels: tuple[tuple[str, ...], ...]
    values: Array
    fps: float

    def pose(self, names: Sequence[str]) -> tuple[Array, Array]:
        """World positions (T, len(names), 3) in file units and rotation matrices (T, len(names), 3, 3)."""
        positions: list[Array] = []
        rotations: list[Array] = []
        column = 0
        for parent, offset, channels in zip(self.parents, self.offsets, self.channels, strict=True):
            translation = np.broadcast_to(offset, (len(self.values), 3)).copy()
            rotation = np.broadcast_to(np.eye(3), (len(self.values), 3, 3))
            for channel in channels:
                axis, value = _AXES[channel[0]], self.values[:, column]
                column += 1
                if channel.endswith("position"):
                    translation[:, axis] = value
                else:
                    rotation = rotation @ _axis_rotation(axis, np.radians(value))
            if parent >= 0:
                translation = positions[parent] + np.einsum("tij,tj->ti", rotations[parent], translation)
                rotation = rotations[parent] @ rotation
            positions.append(translation)
            rotations.append(rotation)
        missing = [name for name in names if name not in self.names]
        if missing:
            raise BackendError(
                "bad_motion", f"The BVH file lacks the joints {', '.join(missing)}.", "Check which skeleton it has."
            )
        wanted = [self.names.index(name) for name in names]
        return np.stack([positions[i] for i in wanted], 1), np.stack([rotations[i] for i in wanted], 1)


def parse_bvh(text: str) -> Bvh:
    """Raises BackendError for anything that is not a complete BVH file."""
    try:
        return _parse(text)
    except (ValueError, IndexError, KeyError) as error:
        raise BackendError(
            "bad_motion", f"This is not a readable BVH file ({error}).", "Export the motion again as BVH."
        ) from error


def _parse(text: str) -> Bvh:
    head, _, tail = text.partition("MOTION")
    words = iter(head.split())
    if next(words, "") != "HIERARCHY":
        raise ValueError("no HIERARCHY")
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[tuple[str, ...]] = []
    open_joints: list[int] = []
    for word in words:
        if word in ("ROOT", "JOINT", "End"):
            name = next(words)
            parents.append(open_joints[-1] if open_joints else -1)
            names.append(f"{names[parents[-1]]}.end" if word == "End" else name)
            offsets.append([0.0, 0.0, 0.0])
            channels.append(())
        elif word == "{":
            open_joints.append(len(names) - 1)
        elif word == "}":
            open_joints.pop()
        elif word == "OFFSET":
            offsets[-1] = [float(next(words)) for _ in range(3)]
        elif word == "CHANNELS":
            channels[-1] = tuple(next(words) for _ in range(int(next(words))))
        else:
            raise ValueError(f"unexpected {word!r}")
    # The heading in words; its numbers as they stand, for a list of words takes many times their memory.
    fields = tail[:HEADING].split()
    frames, step = int(fields[fields.index("Frames:") + 1]), float(fields[fields.index("Time:") + 1])
    width = sum(len(one) for one in channels)
    if frames * max(len(names), width) > MAX_POSES:
        raise ValueError(f"{frames} frames of {len(names)} joints are too many, cut it into several files")
    values = _numbers(tail.partition("Time:")[2].split(None, 1))
    if frames < 1 or step <= 0 or values.size != frames * width or not np.isfinite(values).all():
        raise ValueError(f"{values.size} numbers for {frames} frames of {width} channels")
    return Bvh(
        tuple(names), tuple(parents), np.array(offsets), tuple(channels), values.reshape(frames, width), 1.0 / step
    )


def _numbers(step_and_rest: list[str]) -> Array:
    """Raises ValueError where there is anything but numbers."""
    with warnings.catch_warnings():
        # numpy would only warn where the numbers end before the text does.
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return np.fromstring(step_and_rest[1] if len(step_and_rest) > 1 else "", dtype=np.float64, sep=" ")
        except DeprecationWarning as error:
            raise ValueError("something among its numbers is none") from error


def _axis_rotation(axis: int, angle: Array) -> Array:
    rotation = np.zeros((len(angle), 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    rotation[:, axis, axis] = 1.0
    rotation[:, i, i] = rotation[:, j, j] = np.cos(angle)
    rotation[:, j, i] = np.sin(angle)
    rotation[:, i, j] = -rotation[:, j, i]
    return rotation
