# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests kept in Blender's own preset system: those that the animator names, and the last ones that were made."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import bpy

if TYPE_CHECKING:
    from .properties import RemodiffuseSettings

FOLDER: Final = "remodiffuse"
HISTORY: Final = "remodiffuse_history"
LONGEST_HISTORY: Final = 30
VALUES: Final = ("prompt", "seconds", "count", "quality", "balance", "scale")


def remember(settings: RemodiffuseSettings) -> None:
    """Puts the request at the top of the history. A disk that cannot be written costs the history, not the request."""
    name = bpy.path.clean_name(" ".join(settings.prompt.split())[:80])
    lines = ["import bpy", "settings = bpy.context.scene.remodiffuse"]
    lines += [f"settings.{value} = {getattr(settings, value)!r}" for value in VALUES]
    with contextlib.suppress(OSError):
        folder = Path(bpy.utils.user_resource("SCRIPTS", path=f"presets/{HISTORY}", create=True))
        draft = folder / f"{name}.new"
        draft.write_text("\n".join([*lines, ""]), "utf-8")
        draft.replace(folder / f"{name}.py")
        for old in history()[LONGEST_HISTORY:]:
            old.unlink()


def attach() -> None:
    """Blender shows the menu of a folder that is not there as an error."""
    with contextlib.suppress(OSError):
        bpy.utils.user_resource("SCRIPTS", path=f"presets/{FOLDER}", create=True)


def history() -> list[Path]:
    """The files of the history, newest first."""
    folder = Path(bpy.utils.user_resource("SCRIPTS", path=f"presets/{HISTORY}"))
    with contextlib.suppress(OSError):
        return sorted(folder.glob("*.py"), key=lambda file: -file.stat().st_mtime_ns)
    return []
