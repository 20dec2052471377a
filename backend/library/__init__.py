# SPDX-License-Identifier: GPL-3.0-or-later
"""The motion library: clips with captions that references come from. Storage and retrieval."""

from __future__ import annotations

from .clip import Clip
from .retrieval import choose, hybrid_scores
from .search import Retrieved, search
from .storage import Library, Match

__all__ = ["Clip", "Library", "Match", "Retrieved", "choose", "hybrid_scores", "search"]
