# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes under review, one a line."""

from __future__ import annotations

from typing import Any

import bpy


class TakesList(bpy.types.UIList):
    bl_idname = "REMODIFFUSE_UL_takes"

    def draw_item(self, _context: object, layout: Any, _data: object, item: Any, *_: object) -> None:  # noqa: ANN401  # pyright: ignore[reportIncompatibleMethodOverride] - positional in Blender
        row = layout.split(factor=0.3)
        row.label(text=f"#{item.seed}", icon="CHECKMARK" if item.accepted else "ACTION", translate=False)
        row.label(text=item.prompt, translate=False)
