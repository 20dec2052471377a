# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py rig-sheet: one take on several rigs in one picture."""

from .command import run

__all__ = ["run"]
