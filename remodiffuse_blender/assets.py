# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions in Blender's Asset Browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import bpy

    from .shared import Take

_SMALL_WORDS: Final = {"a", "an", "the", "and", "then", "to", "of", "in", "on", "with", "his", "her", "their", "person"}
_MOST_TAGS: Final = 8


def mark(action: bpy.types.Action, take: Take) -> None:
    """Makes the action an asset: described by its prompt, tagged with its words, with its licence."""
    action.asset_mark()
    asset: Any = action.asset_data
    origin = take.provenance
    asset.description = origin.prompt
    asset.license = origin.licence
    asset.author = origin.model
    words = [word.strip(".,;:!?\"'()").lower() for word in origin.prompt.split()]
    tags = [word for word in dict.fromkeys(words) if word and word not in _SMALL_WORDS]
    for word in ["ReMoDiffuse", *tags[: _MOST_TAGS - 1]]:
        asset.tags.new(word, skip_if_exists=True)
    # The picture is drawn by Blender when it has the time; without a window there is none.
    action.asset_generate_preview()
