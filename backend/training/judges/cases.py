# SPDX-License-Identifier: GPL-3.0-or-later
"""What models are judged on: held-out motions with their captions, of a training set or a folder of the official data
layout, and what every evaluator offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy as np

from ...errors import BackendError
from ...model.importer import FAMILIES, Family, read_statistics
from ..data.official import SHORTEST, bad_motion, captioned_lines, names, read_motion

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..data.prepare import TrainingSet

TEST: Final = "test.txt"


class Caption(NamedTuple):
    """A text and, where they are known, its words with their tags ("walk/VERB")."""

    text: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A motion (T, F) as features, not normalised, with its captions."""

    captions: list[Caption]
    rows: NDArray[np.floating[Any]]


class Judge(Protocol):
    """An evaluator that is ready: texts and motions become embeddings (N, E), near where they belong together."""

    @property
    def features(self) -> int: ...

    def embed_texts(self, captions: Sequence[Caption]) -> NDArray[np.float64]: ...

    def embed(self, motions: Sequence[NDArray[np.floating]], lengths: Sequence[int]) -> NDArray[np.float64]:
        """Motions as features, not normalised, which may go on behind their end."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """The test motions of an official data set, and the statistics (F,) that they are normalised with."""

    cases: list[Case]
    family: Family
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]


def read_trials(folder: Path, *, tagged: bool) -> Trials:
    """The motions that test.txt names. With `tagged`, of their captions only those whose words have tags.

    Raises BackendError where there is no such list, or a file of the set is missing or damaged.
    """
    cases: list[Case] = []
    untagged = ""
    for name in dict.fromkeys(names(folder, TEST)):
        rows = np.asarray(read_motion(folder, name), np.float32)
        if not np.isfinite(rows).all():
            raise bad_motion(folder, name, "holds a number that is not finite")
        captions = [Caption(*each) for each in captioned_lines(folder, name)]
        if tagged and captions:
            untagged = untagged or ("" if any(each.words for each in captions) else name)
            captions = [each for each in captions if each.words]
        if captions and len(rows) >= SHORTEST:
            cases.append(Case(captions, rows))
    if not cases and untagged:
        raise BackendError(
            "no_tags",
            f"The captions in {folder} have no tagged words (of {untagged}, for example).",
            "Guo et al.'s evaluators need them: tokens/NAME.txt of the release, or HumanML3D's own texts "
            "(caption#word/TAG ...#start#end).",
        )
    if not cases:
        raise BackendError("no_data", f"{folder / TEST} names no captioned motion.", "Restore the data set.")
    sizes = {case.rows.shape[1] for case in cases}
    if len(sizes) != 1 or not sizes <= FAMILIES.keys():
        raise BackendError(
            "bad_data",
            f"The motions in {folder} have {', '.join(map(str, sorted(sizes)))} features.",
            f"Choose a data set of {' or '.join(map(str, FAMILIES))} features.",
        )
    features = sizes.pop()
    return Trials(cases, FAMILIES[features], *read_statistics(folder, features))


def held_out(data: TrainingSet, windows: NDArray[np.integer]) -> list[Case]:
    """These windows of a training set."""
    ends = np.cumsum(data.lengths)
    return [
        Case([Caption(text) for text in data.captions[one]], data.rows[ends[one] - data.lengths[one] : ends[one]])
        for one in windows
    ]
