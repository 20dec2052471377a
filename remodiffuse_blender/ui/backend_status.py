# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the backend in one line, with what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .. import backend_choice, installation, models, preferences
from ..client.client import State
from ..shared import BackendError
from ..takes import session
from ..translations import words
from .text import paragraph, trouble

if TYPE_CHECKING:
    import bpy

QUIET_SECONDS: Final = 20.0
"""After so long without a sign of life a restart is offered."""
LOG_LENGTH: Final = 120
"""Letters of the log's last line that the sidebar shows."""
WORDS: Final = {
    State.STOPPED: "Not running. It starts with the first request.",
    State.STARTING: "Starting...",
    State.LOADING: "Loading the model...",
    State.IDLE: "Model unloaded, memory given back. The next request loads it again.",
}


class Status(NamedTuple):
    """What the one line says. `error` is set where something failed, with why and what to do."""

    text: str
    icon: str
    error: BackendError | None = None


def sentence() -> str:
    """What the running backend is doing, while nothing is wrong."""
    client = session.client
    if client.state in WORDS:
        return WORDS[client.state]
    memory = f", {client.memory / 1e9:.1f} GB" if client.memory else ""
    return f"Ready: model {client.model} on {client.device}{memory}."


def status(context: bpy.types.Context) -> Status:
    """Not installed, installing, ready, or failed."""
    state = installation.installation
    if errand := state.errand:
        return Status(f"{installation.STAGES.get(errand.stage, errand.name)}...", "IMPORT")
    if session.client.error:
        return Status("Failed", "ERROR", session.client.error)
    try:
        backend_choice.check(context)
    except BackendError as error:
        if state.error:
            return Status("Not installed", "ERROR", state.error)
        if state.half_made:
            return Status("Not installed: cancelled. Install goes on from what is there.", "INFO")
        return Status("Not installed.", "INFO", error if error.code != "no_backend" else None)
    if note := session.client.version_note:
        return Status(f"{sentence()} {note}", "INFO")
    if state.outdated and not backend_choice.is_own(context):
        return Status(f"{sentence()} Repair brings its packages up to date.", "INFO")
    return Status(sentence(), "CHECKMARK" if session.client.state is State.READY else "INFO")


def draw_line(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The one line; a bar while something is being installed."""
    found = status(context)
    if errand := installation.installation.errand:
        layout.progress(factor=errand.factor, text=words(found.text), type="BAR")
    elif found.error:
        trouble(layout, context, found.error)
    else:
        paragraph(layout, context, words(found.text), icon=found.icon)


def draw_trouble(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What went wrong with the last request, and the one click that helps; nothing where all is well."""
    if session.error:
        box = layout.box()
        trouble(box, context, session.error)
        if session.last and session.error.code != "bad_request":
            box.operator("remodiffuse.repeat_request", icon="LOOP_BACK")
    elif session.note:
        paragraph(layout, context, words(session.note), icon="INFO")
    if session.client.quiet_seconds > QUIET_SECONDS:
        box = layout.box()
        quiet = f"No sign of life from the backend for {session.client.quiet_seconds:.0f} seconds."
        paragraph(box, context, words(quiet), icon="ERROR", alert=True)
        box.operator("remodiffuse.restart_backend", icon="FILE_REFRESH")


def draw_model(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The choice of a model, where there is one."""
    chosen = preferences.get(context)
    if len(models.listed()) > 1 or chosen.model:
        layout.prop(chosen, "model", placeholder=session.client.model or "starter")


def draw_set_up(layout: bpy.types.UILayout, context: bpy.types.Context) -> bool:
    """What the sidebar shows while there is no backend; returns whether it did."""
    try:
        backend_choice.check(context)
    except BackendError:
        pass
    else:
        return False
    box = layout.box()
    draw_line(box, context)
    if errand := installation.installation.errand:
        if errand.log:
            paragraph(box, context, errand.log[-1][:LOG_LENGTH], icon="BLANK1")
        box.operator("remodiffuse.cancel_installation", icon="CANCEL")
    else:
        box.operator("remodiffuse.install_backend", icon="IMPORT")
    opener: Any = box.operator("preferences.addon_show", text="Open Preferences", icon="PREFERENCES")
    opener.module = preferences.RemodiffusePreferences.bl_idname
    return True
