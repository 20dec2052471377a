# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend data prepare`: folders of motion -> one training set file."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ...arrays import UNREADABLE
from ...errors import BackendError
from ...motion.contacts import detect_contacts
from ...motion.features import FeatureLayout
from ...motion.skeleton import FPS
from .sources import read_sources
from .windows import cut_windows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

LAYOUT = FeatureLayout(rotations=False)
REMEDY: Final = "Make it with: python -m backend data prepare"


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Captioned windows as feature vectors. `rows` of all windows lie one after another; `lengths` cuts them."""

    rows: NDArray[np.float32]
    lengths: NDArray[np.int64]
    captions: list[list[str]]
    groups: list[str]
    sources: list[str]
    """Clips a window was made of, joined by "+"."""
    starts: NDArray[np.int64]
    licences: list[str]
    layout: FeatureLayout = LAYOUT
    statistics: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
    """Mean and deviation (F,) that belong to the set; None: those of its rows."""
    held_out: NDArray[np.bool_] | None = None
    """Which windows judge a run; None: those of some of the source clips."""
    large: bool = False
    """Motions enough that all are drawn alike, and none guides another of the same source clip."""

    def __len__(self) -> int:
        return len(self.lengths)

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        words = {"captions": self.captions, "groups": self.groups, "sources": self.sources, "licences": self.licences}
        temporary = path.with_suffix(".part.npz")
        np.savez(temporary, rows=self.rows, lengths=self.lengths, starts=self.starts, words=np.array(json.dumps(words)))
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> TrainingSet:
        """Raises BackendError where the file is missing, damaged, or holds what no training set does."""
        if not path.is_file():
            raise BackendError("no_data", f"There is no training set {path.name}.", REMEDY)
        try:
            with np.load(path, allow_pickle=False) as file:
                if not isinstance(file, np.lib.npyio.NpzFile):
                    raise TypeError("it is a single array")
                words = json.loads(str(file["words"]))
                found = cls(
                    rows=file["rows"],
                    lengths=file["lengths"],
                    captions=words["captions"],
                    groups=words["groups"],
                    sources=words["sources"],
                    starts=file["starts"],
                    licences=words["licences"],
                )
            found.check()
        except KeyError as error:
            raise _bad(path, f"it lacks {error}") from error
        except UNREADABLE as error:
            raise _bad(path, str(error) or "it cannot be read") from error
        return found

    def check(self) -> None:
        """Raises ValueError where the parts do not fit together or a number is none, TypeError where one is of another
        kind."""
        count = len(self)
        if count == 0:
            raise ValueError("it holds no motion")
        if self.rows.ndim != 2 or self.rows.shape[1] != self.layout.size or self.rows.dtype.kind != "f":
            raise ValueError(f"its rows are {self.rows.dtype} {self.rows.shape}, not {self.layout.size} features each")
        for name in ("lengths", "starts"):
            numbers = getattr(self, name)
            if numbers.shape != (count,) or numbers.dtype.kind not in "iu":
                raise ValueError(f"its {name} are no list of whole numbers")
        if (self.lengths < 2).any() or self.lengths.sum() != len(self.rows):
            raise ValueError("its lengths do not cut its rows")
        for name in ("captions", "groups", "sources"):
            if len(getattr(self, name)) != count:
                raise ValueError(f"it has {len(getattr(self, name))} {name} for {count} motions")
        if not all(
            isinstance(each, list) and each and all(type(text) is str for text in each) for each in self.captions
        ):
            raise ValueError("a motion has no caption")
        if not all(type(each) is str for each in [*self.groups, *self.sources, *self.licences]):
            raise TypeError("a name is no text")
        if not np.isfinite(self.rows).all():
            raise ValueError("a feature is not a finite number")


def _bad(path: Path, problem: str) -> BackendError:
    return BackendError("bad_data", f"{path.name} is no training set: {problem}.", REMEDY)


def prepare(folders: Sequence[Path], output: Path, seed: int = 0) -> TrainingSet:
    """Read, cut, caption, augment, encode, write."""
    clips = [clip for folder in folders for clip in read_sources(folder)]
    windows = cut_windows(clips, seed)
    rng = random.Random(seed)  # noqa: S311 - choice of words, no secret
    rows = [LAYOUT.encode(w.positions, detect_contacts(w.positions, FPS)).astype(np.float32) for w in windows]
    result = TrainingSet(
        rows=np.concatenate(rows),
        lengths=np.array([len(row) for row in rows]),
        captions=[list(window.captions(rng)) for window in windows],
        groups=[window.group for window in windows],
        sources=[window.source for window in windows],
        starts=np.array([window.start for window in windows]),
        licences=sorted({clip.licence for clip in clips}),
    )
    result.save(output)
    return result
