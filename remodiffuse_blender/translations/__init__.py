# SPDX-License-Identifier: GPL-3.0-or-later
"""What the interface says in other languages, by Blender's own translation system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import bpy

from .zh_hans import MESSAGES

if TYPE_CHECKING:
    Table = dict[str, dict[tuple[str, str], str]]

CONTEXTS: Final = ("*", "Operator")
"""Blender looks labels of operators up in a context of their own."""
TABLE: Final[Table] = {
    "zh_HANS": {(context, text): translated for text, translated in MESSAGES.items() for context in CONTEXTS}
}


def register() -> None:
    bpy.app.translations.register(__package__ or "", TABLE)


def unregister() -> None:
    bpy.app.translations.unregister(__package__ or "")
