# SPDX-License-Identifier: GPL-3.0-or-later
"""Prompts that follow the first one in the same motion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import properties
from .shared import MAX_PARTS, BackendError

if TYPE_CHECKING:
    import bpy


def check_add(context: bpy.types.Context) -> None:
    if len(properties.get(context).row) >= MAX_PARTS - 1:
        raise BackendError("bad_request", "The row has as many prompts as it can.", f"Keep at most {MAX_PARTS}.")


def check_remove(context: bpy.types.Context) -> None:
    if not properties.get(context).row:
        raise BackendError("no_prompt", "There is only one prompt.", "Add another one first.")


def add(context: bpy.types.Context) -> None:
    check_add(context)
    properties.get(context).row.add()


def remove(context: bpy.types.Context, index: int) -> None:
    """Takes prompt `index` of those that follow out; a negative one means the last."""
    check_remove(context)
    row = properties.get(context).row
    index = len(row) - 1 if index < 0 else index
    if index >= len(row):
        raise BackendError("no_prompt", f"There is no prompt {index}.", f"There are {len(row)}.")
    row.remove(index)
