# SPDX-License-Identifier: GPL-3.0-or-later
"""The motion library: clips with captions that references come from. Storage and retrieval."""

from __future__ import annotations

from .clip import Clip, Features
from .retrieval import choose, hybrid_scores
from .search import Retrieved, search
from .shelf import Shelf
from .storage import Library, Match

__all__ = ["Clip", "Features", "Library", "Match", "Retrieved", "Shelf", "choose", "hybrid_scores", "search"]
