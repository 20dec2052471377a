# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend ends with Blender. Standard library only."""

from __future__ import annotations

import ctypes
import signal
import sys
from contextlib import suppress
from typing import Final

PR_SET_PDEATHSIG: Final = 1
"""From Linux' sys/prctl.h."""


def end_with_parent() -> None:
    """Whoever started this process takes it along, on Linux, even while it is stopped or stuck.

    Everywhere it ends because its input closes; a process that is stopped cannot notice that. Linux means the thread
    that started it: Blender's main one.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
