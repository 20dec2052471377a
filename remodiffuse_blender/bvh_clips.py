# SPDX-License-Identifier: GPL-3.0-or-later
"""Motions of BVH files, on whatever humanoid skeleton, and the table that says what they show. Never touches bpy."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .rig.capture import capture
from .rig.detect import map_bones, propose
from .rig.rest_pose import RestPose
from .shared import MAX_FRAMES, MIN_FRAMES, BackendError, Motion, contacts, joining, parse_bvh, rotations, skeleton
from .shared import quaternions as quat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from .rig.bone_map import BoneMap

TABLE: Final = "captions.csv"
MAX_BYTES: Final = 128 << 20
MAX_ROWS: Final = 100_000
_TRIES: Final = 7
_FEET: Final = [skeleton.INDEX[f"{side}_foot"] for side in ("left", "right")]


@dataclass(frozen=True, slots=True)
class Described:
    """A file of the table, what it shows in one or more sentences, and under which licence it may be used."""

    path: Path
    captions: tuple[str, ...]
    licence: str
    source: str


def read_table(folder: Path, licence: str) -> list[Described]:
    """The files that captions.csv of a folder describes, each once. `licence` of those that name none.

    Columns: `file` (or `clip`, its name without .bvh), `caption`, and if wanted `licence` and `source`. Several rows of
    a file are several captions of it. Raises `BackendError` where the table or one of its files is missing or wrong.
    """
    table = folder / TABLE
    try:
        with table.open(newline="", encoding="utf-8-sig") as handle:
            rows = [row for row, _ in zip(csv.DictReader(handle), range(MAX_ROWS), strict=False)]
    except FileNotFoundError as error:
        raise _bad(f"{folder} has no {TABLE}", "Write one with the columns file and caption.") from error
    except (OSError, UnicodeError, csv.Error) as error:
        raise _bad(f"{table} cannot be read ({error})", "Save it as CSV in UTF-8.") from error
    if not rows or not {"file", "clip"} & rows[0].keys() or "caption" not in rows[0]:
        raise _bad(f"{table} has no rows with the columns file and caption", "Name the columns in its first line.")
    found: dict[Path, Described] = {}
    for number, row in enumerate(rows, start=2):
        name = (row.get("file") or f"{row.get('clip') or ''}.bvh").strip()
        path = (folder / name).resolve()
        caption = (row.get("caption") or "").strip()
        if not path.is_relative_to(folder.resolve()) or path.suffix.lower() != ".bvh" or not path.is_file():
            raise _bad(f"Line {number} of {TABLE} names {name!r:.80}, which is no BVH file there", "Mend the line.")
        if not caption:
            raise _bad(f"Line {number} of {TABLE} has no caption", "Say in a sentence what the person does.")
        own = (row.get("licence") or row.get("license") or licence).strip()
        if not own:
            raise _bad(f"Line {number} of {TABLE} names no licence", "Add a column licence, or name one for all.")
        known = found.setdefault(path, Described(path, (), own, (row.get("source") or path.name).strip()))
        found[path] = replace(known, captions=tuple(dict.fromkeys((*known.captions, caption))))
    return list(found.values())


def read_clips(path: Path) -> Iterator[Motion]:
    """The motion of a BVH file at 20 frames a second, in parts that are short enough for a library.

    Raises `BackendError` where the file is no BVH, holds no human figure or too little motion.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _bad(f"{path.name} is larger than {MAX_BYTES >> 20} MB", "Cut it into several files.")
        text = path.read_text("utf-8", errors="replace")
    except OSError as error:
        raise _bad(f"{path.name} cannot be read ({error.strerror})", "Check the file.") from error
    motion = _motion(text)
    parts = -(-motion.frames // MAX_FRAMES)
    edges = np.linspace(0, motion.frames, parts + 1).round().astype(int)
    if motion.frames < MIN_FRAMES:
        raise _bad(f"{path.name} is shorter than {MIN_FRAMES / skeleton.FPS:g} seconds", "Leave it out.")
    for start, stop in pairwise(edges):
        yield joining.cut(motion, int(start), int(stop))


def _motion(text: str) -> Motion:
    bvh = parse_bvh(text)
    ends = {parent: index for index, parent in enumerate(bvh.parents) if bvh.names[index].endswith(".end")}
    bones = [index for index, name in enumerate(bvh.names) if not name.endswith(".end")]
    names = tuple(bvh.names[index] for index in bones)
    if len(set(names)) < len(names):
        raise _bad("Two joints have one name", "Export the motion again with names of their own.")
    heads = np.zeros((len(bvh.names), 3))
    for index, parent in enumerate(bvh.parents):
        heads[index] = bvh.offsets[index] + (heads[parent] if parent >= 0 else 0.0)
    children = {parent: index for index, parent in reversed(list(enumerate(bvh.parents)))}
    tails = np.array([heads[ends.get(index, children.get(index, index))] for index in bones])
    places, turns = bvh.pose(names)
    parents = [names.index(bvh.names[p]) if (p := bvh.parents[i]) >= 0 else -1 for i in bones]
    matrices = np.zeros((len(places), len(names), 4, 4))
    matrices[..., :3, :3], matrices[..., :3, 3], matrices[..., 3, 3] = turns, places, 1.0
    # At rest every joint of a BVH file has the axes of the world.
    still = np.tile(np.eye(4), (len(names), 1, 1))
    still[:, :3, 3] = heads[bones]
    rest, bone_map = _mapped(names, parents, still, tails - heads[bones], matrices)
    return _at_our_rate(capture(rest, bone_map, matrices, bvh.fps))


def _mapped(
    names: tuple[str, ...], parents: list[int], still: NDArray[Any], lengths: NDArray[Any], moving: NDArray[Any]
) -> tuple[RestPose, BoneMap]:
    """The rest pose, and which joint is which. Some files have a rest pose in which nobody could stand, with all bones
    in one line: then a pose of the motion serves, one that most of its poses agree with.
    """

    def at(pose: NDArray[Any]) -> RestPose:
        return _rest(names, parents, pose, pose[:, :3, 3] + np.einsum("nij,nj->ni", pose[:, :3, :3], lengths))

    rest = at(still)
    if (found := propose(rest)).complete and not found.reference:
        return rest, found
    posed = [at(pose) for pose in moving[np.linspace(0, len(moving) - 1, _TRIES).astype(int)]]
    seen = [(each, found) for each in posed if (found := propose(each)).complete]
    if not seen:
        return rest, map_bones(rest)
    votes = [sum(other.bones == found.bones for _, other in seen) for _, found in seen]
    return seen[int(np.argmax(votes))]


def _rest(names: tuple[str, ...], parents: list[int], matrices: NDArray[Any], tails: NDArray[Any]) -> RestPose:
    count = len(names)
    return RestPose(
        names,
        tuple(parents),
        matrices,
        tails,
        np.eye(4),
        tuple(parents),
        (False,) * count,
        (True,) * count,
        (True,) * count,
        (False,) * count,
        (True,) * count,
        ("QUATERNION",) * count,
    )


def _at_our_rate(motion: Motion) -> Motion:
    """At 20 frames a second, with the feet on the floor: where a file has its floor is anybody's guess."""
    times = np.arange(0.0, motion.frames - 1 + 1e-6, motion.fps / skeleton.FPS)
    local = quat.resample(motion.rotations.astype(np.float64), times)
    frames = np.arange(motion.frames)
    root = np.stack([np.interp(times, frames, motion.root[:, axis]) for axis in range(3)], axis=1)
    lowest = rotations.forward_kinematics(local, root)[:, _FEET, 1].min(axis=1)
    root[:, 1] += skeleton.TOE_HEIGHT - np.percentile(lowest, 5)
    positions = rotations.forward_kinematics(local, root).astype(np.float32)
    return Motion(
        skeleton.FPS,
        positions,
        local.astype(np.float32),
        root.astype(np.float32),
        contacts.detect_contacts(positions, skeleton.FPS),
    )


def _bad(problem: str, remedy: str) -> BackendError:
    return BackendError("bad_motion", f"{problem}.", remedy)
