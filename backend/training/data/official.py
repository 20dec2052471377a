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

from ...errors import BackendError
from ...model.importer import FAMILIES, read_statistics
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
    training, held_out = _names(folder, "train.txt"), _names(folder, "val.txt")
    kept: list[tuple[str, list[str], int]] = []
    features = 0
    for name in dict.fromkeys([*training, *held_out]):
        header = _motion(folder, name, "r")
        features = features or header.shape[1]
        if header.shape[1] != features:
            raise _bad(folder, name, f"has {header.shape[1]} features, others {features}")
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
        part[:] = _motion(folder, name)
        if not np.isfinite(part).all():
            raise _bad(folder, name, "holds a number that is not finite")
        first += frames
    names, judges = [name for name, *_ in kept], set(held_out)
    result = TrainingSet(
        rows=rows,
        lengths=lengths,
        captions=[captions for _, captions, _ in kept],
        groups=["motion"] * len(kept),
        sources=[_NAME.fullmatch(name)[1] for name in names],  # type: ignore[index]  # it matches any name
        starts=np.zeros(len(kept), np.int64),
        licences=[LICENCE],
        layout=FAMILIES[features].layout,
        statistics=read_statistics(folder, features),
        held_out=np.array([name in judges for name in names]) if judges else None,
        large=True,
    )
    result.check()
    return result


def _names(folder: Path, file: str) -> list[str]:
    """The names in a list; none where there is no such list but train.txt."""
    path = folder / file
    if file != "train.txt" and not path.is_file():
        return []
    try:
        names = path.read_text("utf-8").split()
    except (OSError, UnicodeError) as error:
        raise BackendError("no_data", f"{path} cannot be read.", REMEDY) from error
    if foreign := [name for name in names if name != name.replace("/", "").replace("\\", "") or name.startswith(".")]:
        raise BackendError("bad_data", f"{path} names {foreign[0][:60]!r}, which is no motion.", REMEDY)
    return names


def _motion(folder: Path, name: str, mode: str | None = None) -> NDArray[np.floating]:
    """(T, F); with the mode "r" only what is looked at is read."""
    try:
        values = np.load(folder / "motions" / f"{name}.npy", mmap_mode=mode, allow_pickle=False)  # type: ignore[arg-type]
    except (OSError, ValueError, EOFError) as error:
        raise _bad(folder, name, "is missing or damaged") from error
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.dtype.kind != "f":
        raise _bad(folder, name, "is no table of features")
    return values


def _captions(folder: Path, name: str) -> list[str]:
    path = folder / "texts" / f"{name}.txt"
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except OSError as error:
        raise BackendError("bad_data", f"{path} cannot be read.", REMEDY) from error
    return list(dict.fromkeys(text for line in lines if (text := line.split("#")[0].strip())))


def _bad(folder: Path, name: str, problem: str) -> BackendError:
    return BackendError("bad_data", f"{folder / 'motions' / name}.npy {problem}.", REMEDY)
