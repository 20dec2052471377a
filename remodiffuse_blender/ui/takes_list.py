# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes under review, one a line."""

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
    ) -> None:
        row = layout.split(factor=0.3)
        row.label(text=f"#{item.seed}", icon="CHECKMARK" if item.accepted else "ACTION", translate=False)
        row.label(text=item.prompt, translate=False)
