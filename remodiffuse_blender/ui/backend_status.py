# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the backend in one line, with what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..client.client import State
from ..takes import session
from .text import paragraph

if TYPE_CHECKING:
    import bpy

WORDS: Final = {
    State.STOPPED: "Not running. It starts with the first request.",
    State.STARTING: "Starting...",
    State.LOADING: "Loading the model...",
}


def sentence() -> str:
    """What the backend is doing."""
    client = session.client
    if client.error:
        return f"{client.error.message} {client.error.remedy}"
    return WORDS.get(client.state, f"Ready: model {client.model} on {client.device}.")


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """For the preferences: state, last lines of the log after a failure, Start and Stop."""
    failed = session.client.state is State.FAILED
    box = layout.box()
    paragraph(box, context, sentence(), icon="ERROR" if failed else "INFO", alert=failed)
    if failed:
        for line in session.client.log[-5:]:
            box.label(text=line, translate=False)
    row = box.row()
    running = session.client.pid is not None
    row.operator("remodiffuse.restart_backend", text="Restart" if running else "Start", icon="FILE_REFRESH")
    row.operator("remodiffuse.stop_backend", text="Stop", icon="CANCEL")
