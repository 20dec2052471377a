# SPDX-License-Identifier: GPL-3.0-or-later
"""Prompts and captions become numbers: `load_encoder(name).encode(texts)` gives `TextFeatures`."""

from __future__ import annotations

from .cache import CachedEncoder
from .encoder import TextEncoder, load_encoder
from .features import TextFeatures

__all__ = ["CachedEncoder", "TextEncoder", "TextFeatures", "load_encoder"]
