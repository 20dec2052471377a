# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of the official data layout (HumanML3D or KIT-ML as ReMoDiffuse reads them) become training sets.

    human_ml3d/  mean.npy  std.npy  train.txt  motions/NAME.npy  texts/NAME.txt  (val.txt)

A motion is (frames, 263) or (frames, 251) features, a text has one caption a line; what else HumanML3D writes behind a
caption (#tags#start#end) is left out. Clips named in val.txt judge the run; without it some of train.txt do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from ...arrays import read_npy
from ...errors import BackendError
from ...model.importer import FAMILIES, read_statistics
from .humanml3d import seconds
from .prepare import TrainingSet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LICENCE: Final = "LicenseRef-see-data-set"
SHORTEST: Final = 16
"""Frames of the shortest motion that is trained on."""
REMEDY: Final = "Restore the data set, or take the name out of its list."
_NAME: Final = re.compile(r"(?:[A-Z]_)?M?(.+)")
"""Parts of a motion have a letter before its name, mirrored copies an M."""


def is_official(folder: Path) -> bool:
    return (folder / "motions").is_dir() and (folder / "texts").is_dir()


def read_official(folder: Path) -> TrainingSet:
    """All captioned motions of at least SHORTEST frames, as they are in the files.

    Raises BackendError where the folder is none of the layout, or a file in it is missing or damaged.
    """
    if not is_official(folder):
        raise BackendError(
            "no_data",
            f"{folder} is no data set of the official layout.",
            "Choose the folder that holds motions, texts, train.txt, mean.npy and std.npy.",
        )
    training, held_out = names(folder, "train.txt"), names(folder, "val.txt")
    kept: list[tuple[str, list[str], int]] = []
    features = 0
    for name in dict.fromkeys([*training, *held_out]):
        header = read_motion(folder, name)
        features = features or header.shape[1]
        if header.shape[1] != features:
            raise bad_motion(folder, name, f"has {header.shape[1]} features, others {features}")
        captions = _captions(folder, name)
        if captions and len(header) >= SHORTEST:
            kept.append((name, captions, len(header)))
    if not kept:
        raise BackendError("no_data", f"{folder} holds no captioned motion.", REMEDY)
    if features not in FAMILIES:
        raise BackendError(
            "bad_data",
            f"The motions in {folder} have {features} features.",
            f"Choose a data set of {' or '.join(map(str, FAMILIES))} features, or: python -m backend data prepare",
        )
    lengths = np.array([frames for *_, frames in kept])
    # Filled motion by motion: the whole set takes its own size in memory, not more.
    rows, first = np.empty((int(lengths.sum()), features), np.float32), 0
    for name, _, frames in kept:
        part = rows[first : first + frames]
        part[:] = read_motion(folder, name)
        if not np.isfinite(part).all():
            raise bad_motion(folder, name, "holds a number that is not finite")
        first += frames
    kept_names, judges = [name for name, *_ in kept], set(held_out)
    result = TrainingSet(
        rows=rows,
        lengths=lengths,
        captions=[captions for _, captions, _ in kept],
        groups=["motion"] * len(kept),
        sources=[_NAME.fullmatch(name)[1] for name in kept_names],  # type: ignore[index]  # it matches any name
        starts=np.zeros(len(kept), np.int64),
        licences=[LICENCE],
        layout=FAMILIES[features].layout,
        statistics=read_statistics(folder, features),
        held_out=np.array([name in judges for name in kept_names]) if judges else None,
        large=True,
    )
    result.check()
    return result


def names(folder: Path, file: str) -> list[str]:
    """The names in a list; none where there is no such list but train.txt or test.txt."""
    path = folder / file
    if file == "val.txt" and not path.is_file():
        return []
    try:
        found = path.read_text("utf-8").split()
    except (OSError, UnicodeError) as error:
        raise BackendError("no_data", f"{path} cannot be read.", REMEDY) from error
    if foreign := [name for name in found if name != name.replace("/", "").replace("\\", "") or name.startswith(".")]:
        raise BackendError("bad_data", f"{path} names {foreign[0][:60]!r}, which is no motion.", REMEDY)
    return found


def read_motion(folder: Path, name: str) -> NDArray[np.floating]:
    """(T, F), of which only what is looked at is read."""
    try:
        values = read_npy(folder / "motions" / f"{name}.npy")
    except ValueError as error:
        raise bad_motion(folder, name, "is missing or damaged") from error
    if values.ndim != 2 or values.dtype.kind != "f":
        raise bad_motion(folder, name, "is no table of features")
    return values


def captioned_lines(folder: Path, name: str) -> list[tuple[str, tuple[str, ...]]]:
    """The captions of a whole motion, each with its words and their tags ("walk/VERB") where the set has them: line by
    line in tokens/NAME.txt, or behind the caption as HumanML3D writes it (caption#tagged words#start#end).

    Raises BackendError where the two files differ in length or cannot be read.
    """
    lines = _lines(folder / "texts" / f"{name}.txt")
    tokens = folder / "tokens" / f"{name}.txt"
    tagged = _lines(tokens) if tokens.is_file() else None
    if tagged is not None and len(tagged) != len(lines):
        raise BackendError("bad_data", f"{tokens} has {len(tagged)} lines for {len(lines)} captions.", REMEDY)
    found = []
    for number, line in enumerate(lines):
        caption, words, start, end = [*line.split("#"), "", "", ""][:4]
        # What has a start and an end describes a part of the motion.
        if caption.strip() and seconds(end) <= seconds(start):
            found.append((caption.strip(), tuple((tagged[number] if tagged else words).split())))
    return found


def _captions(folder: Path, name: str) -> list[str]:
    lines = _lines(folder / "texts" / f"{name}.txt")
    return list(dict.fromkeys(text for line in lines if (text := line.split("#")[0].strip())))


def _lines(path: Path) -> list[str]:
    """Without empty ones at the end."""
    try:
        return path.read_text("utf-8", errors="replace").rstrip().splitlines()
    except OSError as error:
        raise BackendError("bad_data", f"{path} cannot be read.", REMEDY) from error


def bad_motion(folder: Path, name: str, problem: str) -> BackendError:
    return BackendError("bad_data", f"{folder / 'motions' / name}.npy {problem}.", REMEDY)
