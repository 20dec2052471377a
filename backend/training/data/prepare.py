# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend data prepare`: folders of motion -> one training set file."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
        if not path.is_file():
            raise BackendError(
                "no_data", f"There is no training set {path.name}.", "Make it with: python -m backend data prepare"
            )
        with np.load(path, allow_pickle=False) as file:
            words = json.loads(str(file["words"]))
            return cls(
                rows=file["rows"],
                lengths=file["lengths"],
                captions=words["captions"],
                groups=words["groups"],
                sources=words["sources"],
                starts=file["starts"],
                licences=words["licences"],
            )


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
