# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a long clip is cut that nobody has said more about: at its calmest moments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ...motion.features import smooth
from ...request import MAX_FRAMES

if TYPE_CHECKING:
    from ..measures import Array

SHORTEST: Final = 40
"""Frames of a piece at least (2 s)."""


def calm_pieces(positions: Array, longest: int = MAX_FRAMES) -> list[tuple[int, int]]:
    """Half-open spans of at most `longest` frames that make up the clip (T, 22, 3), each ending where the body moves
    least within the second half of what would fit."""
    speed = smooth(np.linalg.norm(np.diff(positions, axis=0), axis=-1).mean(axis=1), 3.0)
    spans, start = [], 0
    while len(positions) - start > longest:
        first = start + max(SHORTEST, longest // 2)
        last = max(first + 1, min(start + longest, len(positions) - SHORTEST))
        end = first + int(speed[first:last].argmin())
        spans.append((start, end))
        start = end
    return [*spans, (start, len(positions))]
