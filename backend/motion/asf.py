# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading Acclaim files: a skeleton (ASF) and its motion (AMC), the CMU database's own format.

A bone of an ASF file has a direction in the world, a length and an axis: the turn C of its own frame against the
world's. The angles of an AMC file are about that frame, so a bone is turned by C M C^-1 against its parent, with M =
Rz Ry Rx for `dof rx ry rz`. Bones are joined where their parent ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Array = NDArray[np.float64]

CMU_FPS: Final = 120.0
"""AMC files do not say their frame rate; this is how fast CMU recorded nearly all of them."""

_ROOT: Final = "root"
_TURNS: Final = {"rx": 0, "ry": 1, "rz": 2}
_MOVES: Final = {"tx": 0, "ty": 1, "tz": 2}


@dataclass(frozen=True, slots=True, eq=False)
class Bone:
    """`offset` (3,) from its start to its end in the world's frame at rest, `axis` (3, 3) the turn C, `channels` the
    numbers that an AMC file gives for it, in order: rx, ry, rz, tx, ty, tz or l."""

    name: str
    parent: int
    offset: Array
    axis: Array
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """Bones, parents before children, the root first; angles in files are `to_radians` of a radian. `unit`: what
    lengths are divided by, 0.45 in CMU's files, which leaves inches."""

    bones: tuple[Bone, ...]
    start: Array
    to_radians: float
    unit: float


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A motion on its skeleton. Joints are called after the bone that starts there, and "NAME.end" is where it ends."""

    skeleton: Skeleton
    values: tuple[Array, ...]
    """Of each bone (T, number of its channels)."""
    fps: float

    @property
    def names(self) -> tuple[str, ...]:
        own = tuple(bone.name for bone in self.skeleton.bones)
        return own + tuple(f"{name}.end" for name in own)

    def pose(self, names: Sequence[str]) -> tuple[Array, Array]:
        """World positions (T, len(names), 3) in inches for CMU's files, and rotation matrices (T, len(names), 3, 3)."""
        starts: list[Array] = []
        ends: list[Array] = []
        turns: list[Array] = []
        for bone, values in zip(self.skeleton.bones, self.values, strict=True):
            moved, turned = np.zeros((len(values), 3)), np.broadcast_to(np.eye(3), (len(values), 3, 3))
            for channel, column in zip(bone.channels, values.T, strict=True):
                if channel in _MOVES:
                    moved[:, _MOVES[channel]] = column
                elif channel in _TURNS:
                    turned = _about(_TURNS[channel], column * self.skeleton.to_radians) @ turned
            turned = bone.axis @ turned @ bone.axis.T
            if bone.parent < 0:
                start = self.skeleton.start + moved
            else:
                start = ends[bone.parent] + np.einsum("tij,tj->ti", turns[bone.parent], moved)
                turned = turns[bone.parent] @ turned
            starts.append(start)
            ends.append(start + turned @ bone.offset)
            turns.append(turned)
        known = self.names
        missing = [name for name in names if name not in known]
        if missing:
            raise BackendError(
                "bad_motion", f"The ASF file lacks the bones {', '.join(missing)}.", "Check which skeleton it has."
            )
        wanted = [known.index(name) for name in names]
        places, count = starts + ends, len(turns)
        positions = np.stack([places[i] for i in wanted], axis=1) / self.skeleton.unit
        return positions, np.stack([turns[i % count] for i in wanted], axis=1)


def parse_asf(text: str) -> Skeleton:
    """Raises BackendError for anything that is not a complete ASF file."""
    try:
        return _skeleton(text)
    except (ValueError, IndexError, KeyError, StopIteration) as error:
        raise BackendError(
            "bad_motion", f"This is not a readable ASF file ({error}).", "Fetch the skeleton's file again."
        ) from error


def parse_amc(text: str, skeleton: Skeleton, fps: float = CMU_FPS) -> Recording:
    """The motion of an AMC file. Raises BackendError where it is incomplete or belongs to another skeleton."""
    try:
        return _recording(text, skeleton, fps)
    except (ValueError, IndexError, KeyError) as error:
        raise BackendError(
            "bad_motion",
            f"This is not a readable AMC file of its skeleton ({error}).",
            "Put the ASF file of the same subject beside it, or fetch the motion again.",
        ) from error


def _skeleton(text: str) -> Skeleton:
    sections = _sections(text)
    units = {words[0]: words[1] for words in sections.get("units", []) if len(words) > 1}
    to_radians = 1.0 if units.get("angle", "deg").startswith("rad") else np.pi / 180.0
    root = {words[0]: words[1:] for words in sections["root"]}
    turn = _frame(root["orientation"], root.get("axis", ["XYZ"])[0], to_radians)
    channels = tuple(word.lower() for word in root["order"])
    described = {_ROOT: (np.zeros(3), turn, channels)} | dict(_bones(sections["bonedata"], to_radians))
    bones = [Bone(_ROOT, -1, *described[_ROOT])]
    numbers = {_ROOT: 0}
    for parent, *children in sections["hierarchy"]:
        for child in children:
            if child in numbers:
                raise ValueError(f"the bone {child} has two parents")
            numbers[child] = len(bones)
            bones.append(Bone(child, numbers[parent], *described[child]))
    if len(bones) != len(described):
        raise ValueError("some bones are not in the hierarchy")
    unit = float(units.get("length", "1"))
    start = _numbers(root["position"], 3)
    if not unit > 0 or any(set(bone.channels) - {*_TURNS, *_MOVES, "l"} for bone in bones):
        raise ValueError("its units or degrees of freedom are unknown")
    return Skeleton(tuple(bones), start, to_radians, unit)


def _sections(text: str) -> dict[str, list[list[str]]]:
    """Lines as words by ":section"; comments and the words begin and end of a hierarchy are left out."""
    sections: dict[str, list[list[str]]] = {}
    lines: list[list[str]] = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0].startswith(":"):
            lines = sections.setdefault(words[0][1:].lower(), [])
        else:
            lines.append(words)
    sections["hierarchy"] = [words for words in sections["hierarchy"] if words[0] not in ("begin", "end")]
    return sections


def _bones(lines: list[list[str]], to_radians: float) -> Iterator[tuple[str, tuple[Array, Array, tuple[str, ...]]]]:
    """Name and (offset, axis, channels) of each begin ... end."""
    entry: dict[str, list[str]] = {}
    for words in lines:
        if words[0] == "begin":
            entry = {}
        elif words[0] == "end":
            direction = _numbers(entry["direction"], 3)
            offset = direction / max(float(np.linalg.norm(direction)), 1e-12) * _numbers(entry["length"], 1)[0]
            *angles, order = entry["axis"]
            channels = tuple(word.lower() for word in entry.get("dof", []))
            yield entry["name"][0], (offset, _frame(angles, order, to_radians), channels)
        else:
            entry.setdefault(words[0], words[1:])  # further lines of `limits` start with their numbers


def _frame(angles: Sequence[str], order: str, to_radians: float) -> Array:
    """(3, 3): angles about fixed axes, one after the other in `order`."""
    turn = np.eye(3)
    for letter, angle in zip(order.lower(), _numbers(angles, 3), strict=True):
        turn = _about("xyz".index(letter), np.array([angle * to_radians]))[0] @ turn
    return turn


def _recording(text: str, skeleton: Skeleton, fps: float) -> Recording:
    widths = {bone.name: len(bone.channels) for bone in skeleton.bones if bone.channels}
    values: dict[str, list[list[float]]] = {name: [] for name in widths}
    frames = 0
    for line in text.splitlines():
        words = line.split()
        if not words or words[0][0] in "#:":
            continue
        if len(words) == 1:
            frames = _next_frame(words[0], frames, values)
        else:
            name, *numbers = words
            if len(numbers) != widths[name] or len(values[name]) != frames - 1:
                raise ValueError(f"frame {frames} has the wrong numbers for {name}")
            values[name].append([float(number) for number in numbers])
    _next_frame(str(frames + 1), frames, values)
    if not frames or fps <= 0:
        raise ValueError("it has no frames")
    tracks = tuple(np.array(values.get(bone.name, [[]] * frames)).reshape(frames, -1) for bone in skeleton.bones)
    if not all(np.isfinite(track).all() for track in tracks):
        raise ValueError("it holds numbers that are not finite")
    return Recording(skeleton, tracks, fps)


def _next_frame(word: str, frames: int, values: dict[str, list[list[float]]]) -> int:
    """Files may start at any frame. Raises ValueError where the frame before is incomplete."""
    int(word)
    lacking = [name for name, rows in values.items() if len(rows) != frames]
    if lacking:
        raise ValueError(f"frame {frames} lacks {lacking[0]}")
    return frames + 1


def _numbers(words: Sequence[str], count: int) -> Array:
    found = np.array(words, dtype=np.float64)
    if found.shape != (count,) or not np.isfinite(found).all():
        raise ValueError(f"{' '.join(words)} are not {count} numbers")
    return found


def _about(axis: int, angle: Array) -> Array:
    """(T,) radians -> (T, 3, 3) turns about one of the world's axes."""
    turn = np.zeros((len(angle), 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    turn[:, axis, axis] = 1.0
    turn[:, i, i] = turn[:, j, j] = np.cos(angle)
    turn[:, j, i] = np.sin(angle)
    turn[:, i, j] = -turn[:, j, i]
    return turn
