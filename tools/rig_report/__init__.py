# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py rig-report: what the add-on makes of rigs."""

from .command import run

__all__ = ["run"]
