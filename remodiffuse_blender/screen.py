# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's windows, as far as they show something of ours."""

import bpy


def redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "PREFERENCES"}:
                area.tag_redraw()
