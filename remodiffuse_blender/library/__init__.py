# SPDX-License-Identifier: GPL-3.0-or-later
"""The motion library in the sidebar: search as you type, play a clip, add, import, remove, share.

The backend keeps the libraries. `questions` knows what is on its way; the other files ask, and do what is to be done
with the answers.
"""

from __future__ import annotations

import time
from typing import Final

import bpy

from .. import takes
from ..shared import BackendError
from . import imports, questions
from .files import OWN, check_save, load, save, unload
from .filling import add, check_add, check_chosen, remove
from .imports import cancel_import, check_import, check_importing, importing, start_import
from .playing import check_play, check_stop, name_of, play, playing, stop
from .questions import check, desk
from .searching import chosen, follow, search

__all__ = [
    "OWN",
    "add",
    "cancel_import",
    "check",
    "check_add",
    "check_chosen",
    "check_import",
    "check_importing",
    "check_play",
    "check_save",
    "check_stop",
    "chosen",
    "desk",
    "follow",
    "importing",
    "load",
    "name_of",
    "play",
    "playing",
    "remove",
    "save",
    "search",
    "start_import",
    "stop",
    "unload",
]

WAIT_INTERVAL_SECONDS: Final = 0.005


def update() -> bool:
    """What the timer does, after the client took in what arrived. Returns whether anything changed."""
    changed = questions.take_in()
    changed = imports.feed() or changed
    questions.go_on(bpy.context)
    return changed


def busy() -> bool:
    return bool(desk.asked or desk.tasks or desk.wanted or importing.work)


def wait(timeout_seconds: float = 120.0) -> None:
    """For scripts: blocks until every question has its answer. Raises `BackendError` where the last one failed."""
    deadline = time.monotonic() + timeout_seconds
    while busy():
        if time.monotonic() > deadline:
            raise BackendError("timeout", "The library gave no answer.", "Wait longer, or restart the backend.")
        if not takes.update():
            time.sleep(WAIT_INTERVAL_SECONDS)
    if desk.error:
        raise desk.error


def end() -> None:
    """The add-on is being disabled, or Blender ends."""
    imports.end()
    questions.clear()
