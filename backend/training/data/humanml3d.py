# SPDX-License-Identifier: GPL-3.0-or-later
"""HumanML3D folders: motions as joints (new_joints) or features (new_joint_vecs), and texts with start#end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ...arrays import read_npy
from ...errors import BackendError
from ...motion.decoding import decoded, with_our_legs
from ...motion.features import FeatureLayout
from ...motion.skeleton import FPS, JOINTS, with_bone_lengths
from .canonical import grounded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..measures import Array

LICENCE: Final = "HumanML3D / AMASS: non-commercial"

_JOINTS, _FEATURES, _TEXTS = "new_joints", "new_joint_vecs", "texts"
_MOST_BYTES: Final = 64 << 20


def is_humanml3d(folder: Path) -> bool:
    return (folder / _TEXTS).is_dir() and any((folder / name).is_dir() for name in (_JOINTS, _FEATURES))


def motions(folder: Path, mirrored: bool) -> Iterator[tuple[str, Path]]:
    """(name, text file) of every motion that is described, in order; M... are the data set's own mirrored copies."""
    for texts in sorted((folder / _TEXTS).glob("*.txt")):
        if mirrored or not texts.stem.startswith("M"):
            yield texts.stem, texts


def captioned_parts(folder: Path, name: str, texts: Path) -> Iterator[tuple[str, tuple[str, ...], Array]]:
    """(name, captions, positions (T, 22, 3) on our skeleton at 20 fps) of each part of a motion that is described by
    itself, which mostly is the whole. Raises BackendError where the motion is missing or damaged."""
    positions = _positions(folder, name)
    for (start, end), captions in _captions(texts).items():
        first, last = (round(start * FPS), round(end * FPS)) if end > start else (0, len(positions))
        part = positions[first:last]
        if len(part) > 1:
            yield (name if len(part) == len(positions) else f"{name}@{start:g}-{end:g}"), captions, grounded(part)


def _captions(texts: Path) -> dict[tuple[float, float], tuple[str, ...]]:
    """Captions by the seconds (start, end) that they are about; (0, 0) is the whole motion."""
    found: dict[tuple[float, float], tuple[str, ...]] = {}
    for line in texts.read_text(encoding="utf-8", errors="replace").splitlines():
        caption, *rest = line.strip().split("#")
        if not caption.strip():
            continue
        start, end = (seconds(word) for word in [*rest[1:3], "0", "0"][:2])
        found[start, end] = found.get((start, end), ()) + (caption.strip(),)
    return {span: tuple(dict.fromkeys(captions)) for span, captions in found.items()}


def seconds(word: str) -> float:
    """Where a caption's part of the motion starts or ends. Some lines of the data set hold "nan"."""
    try:
        value = float(word)
    except ValueError:
        return 0.0
    return value if np.isfinite(value) and value >= 0 else 0.0


def _positions(folder: Path, name: str) -> Array:
    """(T, 22, 3) with our bones."""
    path = folder / _JOINTS / f"{name}.npy"
    if not path.is_file():
        path = folder / _FEATURES / f"{name}.npy"
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("it is too large")
        values = np.array(read_npy(path))
        if values.dtype.kind != "f" or not np.isfinite(values).all() or len(values) < 2:
            raise ValueError("it holds no finite numbers")
        values = values.astype(np.float64)
        layout = FeatureLayout(len(JOINTS))
        if values.shape[1:] == (layout.size,):
            positions, _ = decoded(layout, values, len(values))
        elif values.shape[1:] == (len(JOINTS), 3):
            positions = with_our_legs(values)
        else:
            raise ValueError(f"its shape is {values.shape}")
    except (OSError, ValueError) as error:
        raise BackendError(
            "bad_motion", f"{path.name} is no motion of HumanML3D ({error}).", "Make the data set again."
        ) from error
    return with_bone_lengths(positions)
