# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the backend in one line, with what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..client.client import State
from ..takes import session
from .text import paragraph, trouble

if TYPE_CHECKING:
    import bpy

LOG_LINES: Final = 5
WORDS: Final = {
    State.STOPPED: "Not running. It starts with the first request.",
    State.STARTING: "Starting...",
    State.LOADING: "Loading the model...",
}


def sentence() -> str:
    """What the backend is doing, while nothing is wrong."""
    client = session.client
    return WORDS.get(client.state, f"Ready: model {client.model} on {client.device}.")


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """For the preferences: state, last lines of the log after a failure, Start and Stop."""
    box = layout.box()
    if error := session.client.error:
        trouble(box, context, error)
        for line in session.client.log[-LOG_LINES:]:
            box.label(text=line, icon="BLANK1", translate=False)
    else:
        paragraph(box, context, sentence(), icon="INFO")
    row = box.row()
    running = session.client.pid is not None
    row.operator("remodiffuse.restart_backend", text="Restart" if running else "Start", icon="FILE_REFRESH")
    row.operator("remodiffuse.stop_backend", text="Stop", icon="CANCEL")
