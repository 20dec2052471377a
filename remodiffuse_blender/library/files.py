# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries as files: loaded, saved, taken out again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..shared import BackendError
from ..shared import library_messages as messages
from .questions import ask, check, desk, is_own, noted

if TYPE_CHECKING:
    import bpy

OWN: Final = "own"


def check_save(context: bpy.types.Context) -> None:
    check(context)
    if desk.libraries and not is_own(OWN):
        raise BackendError("no_libraries", "You have no library of your own yet.", "Add a clip first.")


def load(context: bpy.types.Context, path: str) -> None:
    """Copies a library file into one's own folder."""
    check(context)
    ask(context, messages.Question("load", path=path), noted(f"Loaded: {Path(path).name}"), look_again=True)


def save(context: bpy.types.Context, path: str, library: str = OWN) -> None:
    """Writes a library of one's own to a file that can be shared."""
    check_save(context)
    ask(context, messages.Question("save", path=path, library=library), noted(f"Saved: {Path(path).name}"))


def unload(context: bpy.types.Context, library: str) -> None:
    """Takes a loaded library out; the file that it was loaded from stays."""
    check(context)
    ask(context, messages.Question("unload", library=library), noted(f"Taken out: {library}"), look_again=True)
