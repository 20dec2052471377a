# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences in a narrow sidebar: Blender's labels do not wrap by themselves."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import bpy

    from ..shared import BackendError

LETTER_WIDTH: Final = 6.4
"""Average width of a letter in pixels, at interface scale 1."""
MARGIN: Final = 60


def paragraph(
    layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE", alert: bool = False
) -> None:
    """The text in as many lines as the region's width asks for."""
    scale = context.preferences.system.ui_scale
    width = max(int((context.region.width / scale - MARGIN) / LETTER_WIDTH), 16)
    column = layout.column(align=True)
    column.alert = alert
    for number, line in enumerate(textwrap.wrap(text, width)):
        column.label(text=line, icon="BLANK1" if number else icon, translate=False)  # pyright: ignore[reportArgumentType]


def trouble(layout: bpy.types.UILayout, context: bpy.types.Context, error: BackendError) -> None:
    """What happened, and below it what to do about it."""
    paragraph(layout, context, error.message, icon="ERROR", alert=True)
    paragraph(layout, context, error.remedy, icon="BLANK1")
