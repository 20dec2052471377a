# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backend there is to start: one of the animator's own, or the one that Install made."""

import bpy

from . import installation, preferences
from .client.command import CHOOSE, Command, backend_command, own_command
from .shared import BackendError


def is_own(context: bpy.types.Context) -> bool:
    """Whether the animator chose a backend of their own."""
    chosen = preferences.get(context)
    return bool(chosen.command.strip() or chosen.python.strip())


def command(context: bpy.types.Context) -> Command:
    """How the backend is started: the animator's own command or Python, else what Install made.

    Raises `BackendError` where there is none.
    """
    chosen = preferences.get(context)
    if chosen.command.strip():
        return own_command(chosen.command)
    folders = ("--models", "--libraries")
    options = [word for name in folders for word in (name, str(installation.user_folder(name.lstrip("-"))))]
    options += ["--idle-minutes", str(chosen.idle_minutes)]
    return backend_command(local_python(context), chosen.device, tuple(options))


def local_python(context: bpy.types.Context) -> str:
    """The Python on this machine that has the backend's packages. Raises `BackendError` where there is none."""
    chosen = preferences.get(context)
    if chosen.python.strip():
        return chosen.python
    if installation.installation.ready is None:
        raise BackendError("no_backend", "No backend is set up yet.", CHOOSE)
    return str(installation.place().python)


def check(context: bpy.types.Context) -> None:
    """Raises `BackendError` where no backend is chosen; cheap enough for every redraw, the disk is not touched."""
    if is_own(context):
        return
    if installation.installation.errand:
        raise BackendError(
            "installing", "The backend is being installed.", "Wait for it; the preferences show how far."
        )
    if not installation.installation.ready:
        raise BackendError("no_backend", "No backend is set up yet.", CHOOSE)
