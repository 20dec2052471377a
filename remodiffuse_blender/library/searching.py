# SPDX-License-Identifier: GPL-3.0-or-later
"""Search as you type: clips that a text would retrieve."""

from __future__ import annotations

from typing import Any, Final

import bpy

from .. import properties
from ..shared import MAX_SECONDS, MIN_SECONDS, BackendError, skeleton
from ..shared import library_messages as messages
from .questions import Asking, check, desk, send_next

FOUND: Final = 20


def search(context: bpy.types.Context) -> None:
    """Looks for what stands in the search field; while a question is on its way the newest text waits for it."""
    check(context)
    text = properties.library(context).text.strip()
    seconds = min(max(properties.get(context).seconds, MIN_SECONDS), MAX_SECONDS)
    desk.wanted = Asking(messages.Question("search", text=text, seconds=round(seconds, 3), count=FOUND), _list)
    send_next(context)


def follow(context: bpy.types.Context) -> None:
    """The search text has changed."""
    try:
        search(context)
    except BackendError as error:
        desk.error = error


def chosen(context: bpy.types.Context) -> Any:  # noqa: ANN401 - an entry of the list, or None
    state = properties.library(context)
    return state.found[state.active] if 0 <= state.active < len(state.found) else None


def _list(answer: messages.Answer) -> None:
    state: Any = properties.library(bpy.context)
    state.found.clear()
    for reference in answer.found:
        item = state.found.add()
        for name in ("clip", "caption", "score", "library", "source", "licence"):
            setattr(item, name, getattr(reference, name))
        item.seconds = reference.frames / skeleton.FPS
    state.active = min(state.active, max(len(state.found) - 1, 0))
