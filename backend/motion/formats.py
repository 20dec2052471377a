# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes as files: .npz with everything, .bvh for other programs. Written to a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..arrays import UNREADABLE
from ..errors import BackendError
from . import quaternions as quat
from .clip import Motion
from .skeleton import CONTACT_JOINTS, JOINTS, PARENTS, REST_OFFSETS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

MAX_FILE: Final = 64 << 20
ARRAYS: Final = {
    "positions": (len(JOINTS), 3),
    "rotations": (len(JOINTS), 4),
    "root": (3,),
    "contacts": (len(CONTACT_JOINTS),),
}
"""Arrays of a .npz file, with the shape of one frame; a file holds K takes of T frames: (K, T, ...)."""

# Joints without children have no channels to say where their bone ends; BVH wants a length.
_END: Final = 0.1


def check_output(path: Path) -> None:
    """Raises BackendError where `write_takes` could not write to `path`: cheaper to know before the work."""
    if path.suffix not in (".npz", ".bvh"):
        raise BackendError("cannot_write", f"{path} is neither .npz nor .bvh.", "Choose one of the two endings.")
    if not path.parent.is_dir() or path.is_dir():
        raise BackendError("cannot_write", f"{path} cannot be written.", "Choose a file in a folder that exists.")


def write_takes(path: Path, motions: Sequence[Motion], provenances: Sequence[dict[str, Any]]) -> list[Path]:
    """Write takes of equal length and return the files: all of them are written, or none.

    FILE.npz holds all: the arrays of ARRAYS as (K, T, ...), `fps`, and `provenance`, a JSON list of K objects.
    FILE.bvh holds one; several takes go to FILE_1.bvh, FILE_2.bvh, ...
    """
    check_output(path)
    if path.suffix == ".npz":
        contents = {path: _npz(motions, provenances)}
    elif len(motions) == 1:
        contents = {path: bvh_text(motions[0]).encode()}
    else:
        named = {path.with_stem(f"{path.stem}_{number}"): motion for number, motion in enumerate(motions, start=1)}
        contents = {each: bvh_text(motion).encode() for each, motion in named.items()}
    drafts = {each: each.with_name(each.name + ".new") for each in contents}
    try:
        for each, draft in drafts.items():
            if each.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder")
            draft.write_bytes(contents[each])
        for each, draft in drafts.items():
            draft.replace(each)
    except OSError as error:
        raise BackendError(
            "cannot_write", f"{path} cannot be written ({error.strerror}).", "Choose another folder or free some space."
        ) from error
    finally:
        for draft in drafts.values():
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
    return list(contents)


def read_npz(path: Path) -> tuple[list[Motion], list[dict[str, Any]]]:
    """What `write_takes` wrote to an .npz file. Raises BackendError on any other file."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise ValueError("it is too large")
        _check_members(path)
        with np.load(path, allow_pickle=False) as file:
            provenances = json.loads(str(file["provenance"]))
            fps = float(file["fps"])
            arrays = {name: file[name] for name in ARRAYS}
        takes, frames = arrays["positions"].shape[:2]
        for name, shape in ARRAYS.items():
            if arrays[name].dtype != np.float32 or arrays[name].shape != (takes, frames, *shape):
                raise ValueError(f"{name} has another type or shape")
            if not np.isfinite(arrays[name]).all():
                raise ValueError(f"{name} is not finite")
        if not 1 <= fps <= 1000 or not isinstance(provenances, list) or len(provenances) != takes:
            raise ValueError("its frame rate or provenance is missing")
        if not all(isinstance(provenance, dict) for provenance in provenances):
            raise ValueError("its provenance is no list of objects")
    except UNREADABLE as error:
        raise BackendError(
            "bad_file", f"{path} is no file of takes ({error}).", "Choose an .npz file that generate wrote."
        ) from error
    return [Motion(fps, *(arrays[name][k] for name in ARRAYS)) for k in range(takes)], provenances


def bvh_text(motion: Motion) -> str:
    """The canonical skeleton: metres, Y up, facing +Z; pelvis position and ZXY angles in degrees."""
    order = list(_depth_first(0))
    # Without jumps of 360 degrees, which a reader would interpolate as a spin.
    angles = np.degrees(np.unwrap(zxy_angles(motion.rotations[:, order]), axis=0))
    values = np.concatenate([motion.root, angles.reshape(motion.frames, -1)], axis=1)
    lines = ["HIERARCHY", *_hierarchy(0, 0), "MOTION", f"Frames: {motion.frames}", f"Frame Time: {1 / motion.fps:.8f}"]
    lines += [" ".join(f"{value:.6f}" for value in row) for row in values]
    return "\n".join(lines) + "\n"


def zxy_angles(rotations: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Unit quaternions (..., 4) -> angles (..., 3) in radians about Z, X, Y, with R = Rz Rx Ry."""
    m = quat.to_matrix(rotations)
    x = np.arcsin(np.clip(m[..., 2, 1], -1.0, 1.0))
    # Near x = +-90 degrees only the sum or difference of the others is known: all of it goes to Z.
    locked = np.abs(m[..., 2, 1]) > 1 - 1e-9
    z = np.where(locked, np.arctan2(m[..., 1, 0], m[..., 0, 0]), np.arctan2(-m[..., 0, 1], m[..., 1, 1]))
    y = np.where(locked, 0.0, np.arctan2(-m[..., 2, 0], m[..., 2, 2]))
    return np.stack([z, x, y], axis=-1)


def _hierarchy(joint: int, depth: int) -> list[str]:
    tab, inner = "\t" * depth, "\t" * (depth + 1)
    # The pelvis's place is in its channels; an offset as well would be added by readers.
    offset = REST_OFFSETS[joint] if joint else np.zeros(3)
    channels = "CHANNELS 3" if joint else "CHANNELS 6 Xposition Yposition Zposition"
    lines = [
        f"{tab}{'JOINT' if joint else 'ROOT'} {JOINTS[joint]}",
        f"{tab}{{",
        f"{inner}OFFSET {_numbers(offset)}",
        f"{inner}{channels} Zrotation Xrotation Yrotation",
    ]
    children = _children(joint)
    for child in children:
        lines += _hierarchy(child, depth + 1)
    if not children:
        end = _END * REST_OFFSETS[joint] / np.linalg.norm(REST_OFFSETS[joint])
        lines += [f"{inner}End Site", f"{inner}{{", f"{inner}\tOFFSET {_numbers(end)}", f"{inner}}}"]
    return [*lines, f"{tab}}}"]


def _depth_first(joint: int) -> list[int]:
    return [joint, *(below for child in _children(joint) for below in _depth_first(child))]


def _children(joint: int) -> list[int]:
    return [child for child, parent in enumerate(PARENTS) if parent == joint]


def _numbers(vector: NDArray[np.float64]) -> str:
    return " ".join(f"{value:.6f}" for value in vector)


def _check_members(path: Path) -> None:
    """A small zip can unpack to any size; the header says which before memory is taken."""
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_FILE:
            raise ValueError("it unpacks to too much")


def _npz(motions: Sequence[Motion], provenances: Sequence[dict[str, Any]]) -> bytes:
    arrays: dict[str, Any] = {name: np.stack([getattr(motion, name) for motion in motions]) for name in ARRAYS}
    arrays["fps"] = np.float32(motions[0].fps)
    arrays["provenance"] = np.array(json.dumps(list(provenances), ensure_ascii=False))
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()
