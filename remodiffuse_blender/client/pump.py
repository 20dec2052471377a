# SPDX-License-Identifier: GPL-3.0-or-later
"""The one timer of the add-on: calls a function on Blender's main thread for as long as something is awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import bpy

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL_SECONDS: Final = 0.05


class Pump:
    """Calls `tick` again and again, each time after the seconds that it returned, until that is None. It must be quick:
    Blender waits for it.
    """

    def __init__(self, tick: Callable[[], float | None]) -> None:
        self._tick = tick
        self._pause = 0.0

    def start(self) -> None:
        """Something is awaited from now on."""
        # A pause that has begun would be sat out.
        if self._pause > INTERVAL_SECONDS:
            self.stop()
        # Without a window no timer ever runs, and one left behind hangs Blender 4.5 at its end: scripts call `wait`.
        if not bpy.app.background and not bpy.app.timers.is_registered(self._call):
            bpy.app.timers.register(self._call, first_interval=INTERVAL_SECONDS, persistent=True)

    def stop(self) -> None:
        if bpy.app.timers.is_registered(self._call):
            bpy.app.timers.unregister(self._call)

    def _call(self) -> float | None:
        # Nobody may stop a timer while it is being called.
        self._pause = 0.0
        pause = self._tick()
        self._pause = pause or 0.0
        return pause
