# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes under review, one a line: star, seed, prompt, foot slide in cm/s."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    from ..properties import RemodiffuseTake


class TakesList(bpy.types.UIList):
    bl_idname = "REMODIFFUSE_UL_takes"

    def draw_item(  # pyright: ignore[reportIncompatibleMethodOverride] - by position, and what comes last may be left out
        self,
        _context: bpy.types.Context,
        layout: Any,  # noqa: ANN401 - the stubs call it optional
        _data: object,
        item: RemodiffuseTake,
        _icon: int,
        _active_data: object,
        _active_property: str,
        _index: int = 0,
        _flags: int = 0,
    ) -> None:
        row = layout.row(align=True)
        row.prop(item, "starred", text="", icon="SOLO_ON" if item.starred else "SOLO_OFF", emboss=False)
        parts = row.split(factor=0.86)
        parts.label(text=f"#{item.seed} {item.prompt}", icon="CHECKMARK" if item.accepted else "NONE", translate=False)
        parts.label(text=f"{item.slide:.1f}", translate=False)
