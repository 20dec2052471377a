# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend data report`: how good the clips of a folder are, and pictures of the worst."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from ...motion.contacts import detect_contacts, lock_feet
from ...motion.features import FeatureLayout
from ...motion.skeleton import BONE_LENGTHS, FPS, PARENTS, with_bone_lengths
from ..quality import Quality
from .augment import travelling
from .captions import action_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ..measures import Array
    from .sources import SourceClip

_LAYOUT: Final = FeatureLayout(rotations=False)
_BAD: Final = {"skate": 0.3, "penetration": 0.05, "jerk": 150.0, "bone_change": 0.001, "round_trip": 0.001}
"""Where each fault starts to be seen; badness is the sum of faults in these units."""
SHORTEST: Final = 4


@dataclass(frozen=True, slots=True)
class ClipReport:
    """One clip as it goes into training, after its foot lock, and travelling where it was made on a treadmill.

    `skate` m/s, `penetration` share of frames and `jerk` m/s^3 as in `Quality`; `bone_change` the largest difference of
    a bone from its length, metres; `contact` the mean share of frames that a foot point stands; `round_trip` the
    largest distance of a joint after encoding, float32 and decoding, metres; `used` whether it has words to be trained
    on.
    """

    clip: str
    label: str
    seconds: float
    skate: float
    penetration: float
    jerk: float
    bone_change: float
    contact: float
    round_trip: float
    used: bool

    @property
    def badness(self) -> float:
        return sum(getattr(self, name) / unit for name, unit in _BAD.items())


def judged(clip: SourceClip) -> tuple[ClipReport, Array]:
    """The report of a clip of at least SHORTEST frames, and its positions (T, 22, 3)."""
    positions = clip.positions
    if clip.slides:
        positions = with_bone_lengths(lock_feet(positions, detect_contacts(positions, FPS), FPS))
    action = action_of(clip.name, clip.label)
    if action is not None and action.treadmill:
        positions = travelling(positions, action.speed)
    contacts = detect_contacts(positions, FPS)
    rows = _LAYOUT.encode(positions, contacts).astype(np.float32)
    decoded, _ = _LAYOUT.decode(rows.astype(np.float64))
    lengths = np.linalg.norm(positions[:, 1:] - positions[:, list(PARENTS[1:])], axis=-1)
    quality = Quality.of(positions)
    report = ClipReport(
        clip.name,
        clip.label or (clip.captions[0] if clip.captions else ""),
        round(len(positions) / FPS, 2),
        round(quality.skate, 4),
        round(quality.penetration, 4),
        round(quality.jerk, 1),
        round(float(np.abs(lengths - BONE_LENGTHS[1:]).max()), 6),
        round(float((contacts > 0.5).mean()), 4),
        round(float(np.linalg.norm(decoded - positions, axis=-1).max()), 6),
        bool(clip.captions) or action is not None,
    )
    return report, positions


def write_report(
    clips: Iterable[SourceClip], folder: Path, worst: int = 12, progress: Callable[[int], None] | None = None
) -> list[ClipReport]:
    """Write report.csv, report.json and pictures of the `worst` clips that are used into `folder`; worst first."""
    found: list[ClipReport] = []
    kept: list[tuple[ClipReport, Array]] = []
    for clip in clips:
        if len(clip.positions) < SHORTEST:
            continue
        report, positions = judged(clip)
        found.append(report)
        if report.used:
            kept = sorted([*kept, (report, positions)], key=lambda pair: -pair[0].badness)[:worst]
        if progress:
            progress(len(found))
    found.sort(key=lambda report: -report.badness)
    folder.mkdir(parents=True, exist_ok=True)
    names = [one.name for one in fields(ClipReport)]
    with (folder / "report.csv").open("w", newline="", encoding="utf-8") as handle:
        table = csv.DictWriter(handle, names)
        table.writeheader()
        table.writerows(asdict(report) for report in found)
    (folder / "report.json").write_text(json.dumps([asdict(report) for report in found], indent=1), encoding="utf-8")
    _pictures(kept, folder)
    return found


def _pictures(worst: list[tuple[ClipReport, Array]], folder: Path) -> None:
    from ..figures import strip  # Pillow, which only pictures need

    for old in folder.glob("worst_*.png"):
        old.unlink()
    for number, (report, positions) in enumerate(worst, start=1):
        title = (
            f"{report.clip}  {report.label[:50]}   skate {100 * report.skate:.0f} cm/s, "
            f"penetration {report.penetration:.0%}, jerk {report.jerk:.0f}"
        )
        safe = "".join(letter if letter.isalnum() else "_" for letter in report.clip)
        strip(positions, title).save(folder / f"worst_{number:02}_{safe}.png")
