# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences in a narrow sidebar: Blender's labels do not wrap by themselves."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING, Final

from ..translations import words

if TYPE_CHECKING:
    import bpy

    from ..shared import BackendError

LETTER_WIDTH: Final = 6.4
"""Average width of a letter in pixels, at interface scale 1."""
MARGIN: Final = 60
_ENDS: Final = "，。：；、）”！？"  # noqa: RUF001


def paragraph(
    layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE", alert: bool = False
) -> None:
    """The text in as many lines as the region's width asks for."""
    scale = context.preferences.system.ui_scale
    width = max(int((context.region.width / scale - MARGIN) / LETTER_WIDTH), 16)
    column = layout.column(align=True)
    column.alert = alert
    for number, line in enumerate(lines(text, width)):
        column.label(text=line, icon="BLANK1" if number else icon, translate=False)  # pyright: ignore[reportArgumentType]


def trouble(layout: bpy.types.UILayout, context: bpy.types.Context, error: BackendError) -> None:
    """What happened, and below it what to do about it."""
    paragraph(layout, context, words(error.message), icon="ERROR", alert=True)
    paragraph(layout, context, words(error.remedy), icon="BLANK1")


def lines(text: str, width: int) -> list[str]:
    """The text cut into lines of `width` letters; Chinese has no spaces to cut at, and letters twice as wide."""
    if not any(map(_wide, text)):
        return textwrap.wrap(text, width)
    found, room = [""], width
    for letter in text:
        takes = 2 if _wide(letter) else 1
        # No line begins with what ends a sentence.
        if takes > room and letter not in _ENDS:
            found.append("")
            room = width
        found[-1] += letter
        room -= takes
    return [line.strip() for line in found if line.strip()]


def _wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"
