# SPDX-License-Identifier: GPL-3.0-or-later
"""The models that a request can choose from, and fetching published ones.

A running backend says itself what it has, which may be on another machine; before it runs, this machine's are listed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import bpy

from . import backend_choice, installation, screen
from .client.command import Command, program_folder, python_at
from .client.errand import Errand
from .client.pump import INTERVAL_SECONDS, Pump
from .shared import BackendError, on_the_wire
from .takes import session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Models:
    """What is known without touching the disk; `refresh` looks."""

    local: list[dict[str, Any]] = field(default_factory=list)
    errand: Errand | None = None
    """A download on its way."""
    error: BackendError | None = None


models = Models()


def folder() -> Path:
    """Where fetched models lie, and where the animator puts their own model folders."""
    return installation.user_folder("models")


def refresh() -> None:
    models.local = on_the_wire([folder()])


def listed() -> list[dict[str, Any]]:
    return session.client.models or models.local


def search(_preferences: object, _context: bpy.types.Context, text: str) -> Iterator[tuple[str, str]]:
    """What the field of the sidebar offers: names, and what they are."""
    for model in listed():
        if text.lower() in model["name"].lower():
            yield model["name"], f"{model['source']}, {model['bytes'] / 1e6:.0f} MB, {model['licence']}"


def check_idle(context: bpy.types.Context) -> None:
    if models.errand:
        raise BackendError("busy", "A model is being fetched.", "Wait for it, or press Cancel.")


def check_running(context: bpy.types.Context) -> None:
    if not models.errand:
        raise BackendError("not_running", "No model is being fetched.", "Nothing needs to be done.")


def fetch(context: bpy.types.Context, repository: str, commit: str, sha256: str) -> None:
    """Starts fetching a published model; a repeated attempt goes on where the last one ended."""
    check_idle(context)
    if not bpy.app.online_access:
        raise BackendError(
            "offline", "Blender may not go online.", "Allow Online Access in Preferences > System > Network."
        )
    python = str(python_at(backend_choice.local_python(context)))
    words = (
        "model",
        "download",
        "--frames",
        "--into",
        str(folder()),
        "--commit",
        commit,
        "--sha256",
        sha256,
        repository,
    )
    models.error = None
    models.errand = Errand("Fetching", Command((python, "-m", "backend", *words), program_folder(), online=True))
    pump.start()


def cancel(wait_seconds: float = 0.0) -> None:
    if models.errand:
        models.errand.cancel(wait_seconds)
        update()


def update() -> bool:
    errand = models.errand
    if errand is None:
        return False
    changed = errand.poll()
    if not errand.over:
        return changed
    models.errand, models.error = None, errand.error
    refresh()
    return True


def end() -> None:
    """The add-on is being disabled, or Blender ends."""
    pump.stop()
    cancel(wait_seconds=2.0)


def _tick() -> float | None:
    if update() and not models.errand:
        session.client.ask_models()
    screen.redraw()
    return INTERVAL_SECONDS if models.errand else None


pump: Final = Pump(_tick)
