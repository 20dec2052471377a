# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend's own environment in the add-on's user folder: install, repair, uninstall, and how far it is.

The work is done by `python -m backend install` in a process of its own, under Blender's Python or another one that is
chosen in the preferences. Nothing is written outside the add-on's own user folder.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import bpy

from . import preferences, screen
from .client.command import Command, program_folder, python_at
from .client.errand import Errand
from .client.pump import INTERVAL_SECONDS, Pump
from .shared import BackendError, Place, Ready, newest_fingerprints

WAIT_INTERVAL_SECONDS: Final = 0.05
STAGES: Final = {
    "checks": "Checking the machine",
    "tools": "Getting the installer",
    "environment": "Making the environment",
    "packages": "Installing packages",
    "test": "Trying it out",
}


@dataclass
class Installation:
    """What is known without touching the disk; `refresh` looks."""

    errand: Errand | None = None
    """The work on its way."""
    last: Errand | None = None
    """The one before: its log is shown after a failure."""
    error: BackendError | None = None
    ready: Ready | None = None

    @property
    def outdated(self) -> bool:
        """Installed by another version of the add-on, with other packages."""
        return self.ready is not None and self.ready.fingerprint not in newest_fingerprints()

    @property
    def half_made(self) -> bool:
        """An attempt was cancelled, and what it fetched is still there."""
        return self.ready is None and self.last is not None and self.last.cancelled

    @property
    def log(self) -> list[str]:
        errand = self.errand or self.last
        return errand.log if errand else []


installation = Installation()


def user_folder(name: str) -> Path:
    """A folder of ours in Blender's user folder; it need not exist. The extension's own folder is never written to."""
    return Path(bpy.utils.extension_path_user(__package__ or "", path=name))


def place() -> Place:
    return Place(user_folder("backend"))


def refresh() -> None:
    installation.ready = place().ready()


def check_idle(context: bpy.types.Context) -> None:
    if installation.errand:
        raise BackendError("installing", f"{installation.errand.name} is at work.", "Wait for it, or press Cancel.")


def check_running(context: bpy.types.Context) -> None:
    if not installation.errand:
        raise BackendError("not_running", "Nothing is being installed.", "Nothing needs to be done.")


def check_installed(context: bpy.types.Context) -> None:
    check_idle(context)
    if not installation.ready and not installation.error and not installation.half_made:
        raise BackendError("no_backend", "No backend is installed.", "Press Install first.")


def install(context: bpy.types.Context, *, repair: bool = False) -> None:
    """Starts installing. Goes on where an earlier attempt ended; `repair` removes what is there first."""
    check_idle(context)
    chosen = preferences.get(context)
    options: list[str] = []
    if chosen.wheels.strip():
        options += ["--wheels", bpy.path.abspath(chosen.wheels)]
    if not bpy.app.online_access:
        options += ["--offline"]
        if not chosen.wheels.strip():
            raise BackendError(
                "offline",
                "Blender may not go online, and no folder of wheels is named.",
                "Allow Online Access in Preferences > System > Network, or choose a folder of wheels.",
            )
    if chosen.device == "cpu":
        options += ["--build", "processor"]
    if repair:
        options += ["--repair"]
    python = str(python_at(chosen.install_python)) if chosen.install_python.strip() else sys.executable
    _start("Installing", python, options)


def uninstall(context: bpy.types.Context) -> None:
    """The caller has stopped the backend."""
    check_idle(context)
    installation.ready = None
    _start("Uninstalling", sys.executable, ["--uninstall"])


def _start(name: str, python: str, options: list[str]) -> None:
    installation.error = None
    words = (python, "-m", "backend", "install", "--frames", "--folder", str(place().folder), *options)
    try:
        installation.errand = Errand(name, Command(words, program_folder()))
    except BackendError as error:
        installation.error = error
        raise
    pump.start()


def cancel(wait_seconds: float = 0.0) -> None:
    """What is installed so far stays, and the next attempt goes on from there."""
    if installation.errand:
        installation.errand.cancel(wait_seconds)
        update()


def update() -> bool:
    """Takes in what the installer said. Returns whether anything changed."""
    errand = installation.errand
    if errand is None:
        return False
    changed = errand.poll()
    if not errand.over:
        return changed
    installation.errand, installation.last, installation.error = None, errand, errand.error
    refresh()
    return True


def wait(timeout_seconds: float) -> None:
    """For scripts. Raises `BackendError` where it failed or took too long."""
    deadline = time.monotonic() + timeout_seconds
    while installation.errand:
        if time.monotonic() > deadline:
            raise BackendError(
                "timeout", f"Installing is not done after {timeout_seconds:g} seconds.", "Wait longer or cancel it."
            )
        if not update():
            time.sleep(WAIT_INTERVAL_SECONDS)
    if installation.error:
        raise installation.error


def end() -> None:
    """The add-on is being disabled, or Blender ends."""
    pump.stop()
    cancel(wait_seconds=2.0)


def _tick() -> float | None:
    # The log grows between two steps too.
    update()
    screen.redraw()
    return INTERVAL_SECONDS if installation.errand else None


pump: Final = Pump(_tick)
