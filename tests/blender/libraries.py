# SPDX-License-Identifier: GPL-3.0-or-later
"""The motion library as scripts use it."""

from __future__ import annotations

from scenes import Rna, context, ops


def state() -> Rna:
    return context.window_manager.remodiffuse_library


def wait() -> None:
    ops.remodiffuse.wait(timeout=120)


def search(text: str) -> list[tuple[str, str]]:
    """Library and caption of what is found."""
    state().text = text
    wait()
    return [(each.library, each.caption) for each in state().found]
