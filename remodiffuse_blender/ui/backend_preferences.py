# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: the status line, Install and its kin, the device, a backend of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import backend_choice, installation, models
from ..takes import session
from ..translations import words
from . import backend_status
from .text import paragraph

if TYPE_CHECKING:
    import bpy

    from ..preferences import RemodiffusePreferences

LOG_LINES: Final = 8


def draw(layout: bpy.types.UILayout, context: bpy.types.Context, chosen: RemodiffusePreferences) -> None:
    box = layout.box()
    backend_status.draw_line(box, context)
    _draw_log(box)
    if not backend_choice.is_own(context):
        if (ready := installation.installation.ready) and ready.note and chosen.device != "cpu":
            paragraph(box, context, words(ready.note), icon="INFO")
        _draw_installation(box)
    row = box.row()
    running = session.client.pid is not None
    row.operator("remodiffuse.restart_backend", text="Restart" if running else "Start", icon="FILE_REFRESH")
    row.operator("remodiffuse.stop_backend", text="Stop", icon="CANCEL")
    layout.prop(chosen, "device")
    layout.prop(chosen, "idle_minutes")
    _draw_models(layout, chosen)
    header, body = layout.panel("remodiffuse_own_backend", default_closed=True)
    header.label(text="A Backend of Your Own, Another Machine, Without Network")
    if body:
        for name in ("python", "command", "wheels", "install_python"):
            body.prop(chosen, name)


def _draw_installation(layout: bpy.types.UILayout) -> None:
    state = installation.installation
    row = layout.row()
    if state.errand:
        row.operator("remodiffuse.cancel_installation", icon="CANCEL")
        return
    if not state.ready:
        row.operator("remodiffuse.install_backend", icon="IMPORT")
    row.operator("remodiffuse.repair_backend", icon="TOOL_SETTINGS")
    row.operator("remodiffuse.uninstall_backend", icon="TRASH")


def _draw_models(layout: bpy.types.UILayout, chosen: RemodiffusePreferences) -> None:
    header, body = layout.panel("remodiffuse_models", default_closed=True)
    header.label(text="Models")
    if not body:
        return
    for model in models.listed():
        row = body.row()
        current = model["name"] == (chosen.model or session.client.model or "starter")
        row.label(text=f"{model['name']} {model['version']}", icon="RADIOBUT_ON" if current else "RADIOBUT_OFF")
        row.label(text=f"{model['source']}, {model['bytes'] / 1e6:.0f} MB")
        row.label(text=model["licence"])
    body.prop(chosen, "model")
    state = models.models
    if errand := state.errand:
        text = f"Fetching {errand.stage}: {errand.step / 1e6:.0f} of {errand.total / 1e6:.0f} MB"
        body.progress(factor=errand.factor, text=words(text), type="BAR")
        body.operator("remodiffuse.cancel_fetch", icon="CANCEL")
    else:
        if state.error:
            for text in (state.error.message, state.error.remedy):
                body.label(text=words(text), icon="ERROR", translate=False)
        body.operator("remodiffuse.fetch_model", icon="IMPORT")
    body.label(text=words(f"Your own model folders belong into {models.folder()}"), translate=False)


def _draw_log(layout: bpy.types.UILayout) -> None:
    """The last lines of whoever is at work, or of whoever failed."""
    state = installation.installation
    if state.errand or state.error:
        lines = state.log
    elif session.client.error:
        lines = session.client.log
    else:
        return
    column = layout.column(align=True)
    for line in lines[-LOG_LINES:]:
        column.label(text=line[:160], icon="BLANK1", translate=False)
