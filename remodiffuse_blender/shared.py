# SPDX-License-Identifier: GPL-3.0-or-later
"""The one door to what both worlds share: protocol, errors, requests and takes, motion maths (numpy only).

In the built zip `backend/` lies beneath the add-on, in the source tree beside it.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING or find_spec(f"{__package__}.backend") is None:
    from backend import library_messages, protocol
    from backend.errors import BackendError
    from backend.install.builds import newest_fingerprints
    from backend.install.place import Place, Ready
    from backend.models import on_the_wire
    from backend.motion import contacts, features, joining, quaternions, rebuild, rotations, sequence, skeleton
    from backend.motion.bvh import parse_bvh
    from backend.motion.clip import Motion
    from backend.prompts import Wanted, read_prompts
    from backend.request import (
        MAX_COUNT,
        MAX_FRAMES,
        MAX_PARTS,
        MAX_PROMPT,
        MAX_SECONDS,
        MIN_FRAMES,
        MIN_SECONDS,
        Canvas,
        Provenance,
        Reference,
        Request,
        Take,
    )
else:
    from .backend import library_messages, protocol
    from .backend.errors import BackendError
    from .backend.install.builds import newest_fingerprints
    from .backend.install.place import Place, Ready
    from .backend.models import on_the_wire
    from .backend.motion import contacts, features, joining, quaternions, rebuild, rotations, sequence, skeleton
    from .backend.motion.bvh import parse_bvh
    from .backend.motion.clip import Motion
    from .backend.prompts import Wanted, read_prompts
    from .backend.request import (
        MAX_COUNT,
        MAX_FRAMES,
        MAX_PARTS,
        MAX_PROMPT,
        MAX_SECONDS,
        MIN_FRAMES,
        MIN_SECONDS,
        Canvas,
        Provenance,
        Reference,
        Request,
        Take,
    )

__all__ = [
    "MAX_COUNT",
    "MAX_FRAMES",
    "MAX_PARTS",
    "MAX_PROMPT",
    "MAX_SECONDS",
    "MIN_FRAMES",
    "MIN_SECONDS",
    "BackendError",
    "Canvas",
    "Motion",
    "Place",
    "Provenance",
    "Ready",
    "Reference",
    "Request",
    "Take",
    "Wanted",
    "contacts",
    "features",
    "joining",
    "library_messages",
    "newest_fingerprints",
    "on_the_wire",
    "parse_bvh",
    "protocol",
    "quaternions",
    "read_prompts",
    "rebuild",
    "rotations",
    "sequence",
    "skeleton",
]
