# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends what we started however Blender ends, and whatever it is doing: also behind a command of the animator's own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import Final

SHELL: Final = "/bin/sh"
SCRIPT: Final = 'read -r word || kill -s KILL -- "-$1"'
"""A line says that all is well. The system closes the input without one where Blender is killed."""


class Guard:
    """Watches over one process group from outside. Does nothing on Windows, which has no groups."""

    def __init__(self, group: int) -> None:
        self._shell: subprocess.Popen[bytes] | None = None
        if sys.platform == "win32":
            return
        with contextlib.suppress(OSError):
            self._shell = subprocess.Popen(  # noqa: S603  a script of ours and a number
                [SHELL, "-c", SCRIPT, "guard", str(group)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                # What is sent to Blender's terminal, such as Ctrl+C, is not for the guard.
                start_new_session=True,
            )

    def dismiss(self) -> None:
        """The group has ended: its number may soon be somebody else's."""
        if self._shell:
            with contextlib.suppress(OSError):
                self._shell.communicate(b"\n")
