# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of ASF and AMC files as CMU hands them out: subjects/01/01.asf, subjects/01/01_01.amc, ..."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from ...errors import BackendError
from ...motion.asf import CMU_FPS, parse_amc, parse_asf
from .canonical import canonical_positions

if TYPE_CHECKING:
    from pathlib import Path

    from ...motion.asf import Skeleton
    from ..measures import Array

CMU_LICENCE: Final = "CMU mocap: free for any use"


def amc_files(folder: Path) -> dict[str, Path]:
    """By clip name; empty where the folder holds none."""
    return {path.stem: path for path in sorted(folder.rglob("*.amc"))}


def positions_of(amc: Path, fps: float | None) -> Array:
    """(T, 22, 3) on the canonical skeleton at 20 fps. Raises BackendError where a file is missing or damaged."""
    skeleton = _skeleton(_skeleton_file(amc))
    text = amc.read_text(encoding="utf-8", errors="replace")
    return canonical_positions(parse_amc(text, skeleton, fps or CMU_FPS))


def _skeleton_file(amc: Path) -> Path:
    """The subject's, "01.asf" of "01_01.amc", else the only one in the folder."""
    own = amc.with_name(f"{amc.stem.partition('_')[0]}.asf")
    if own.is_file():
        return own
    others = list(amc.parent.glob("*.asf"))
    if len(others) != 1:
        raise BackendError("no_data", f"There is no skeleton for {amc.name}.", f"Put {own.name} beside it.")
    return others[0]


@cache
def _skeleton(path: Path) -> Skeleton:
    return parse_asf(path.read_text(encoding="utf-8", errors="replace"))
