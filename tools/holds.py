# SPDX-License-Identifier: GPL-3.0-or-later
"""In Blender: how long the add-on holds the main thread while takes are being generated and taken in."""

from __future__ import annotations

import importlib
import sys
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS: Final = (0.001, 0.002, 0.005, 0.010, 0.020)


class Holds:
    """Every call of the add-on's timer and every drawing of one of its panels, from the request until its takes are in
    the list and the first one plays.

    Counted is the time of the thread itself: what other processes do on a busy machine is not the add-on's doing.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self.calls: list[float] = []
        """Seconds each."""
        self.evaluations: list[float] = []
        """Seconds that Blender itself took each time to bring the scene up to date, meanwhile."""
        self._began = 0.0

    @property
    def longest(self) -> float:
        return max(self.calls, default=0.0)

    def watch(self) -> None:
        """Begins to measure; the add-on must be enabled."""
        takes: Any = importlib.import_module(f"{self._module}.takes")
        registration: Any = importlib.import_module(f"{self._module}.registration")
        tick = takes.pump._tick
        takes.pump._tick = lambda: self.timed(takes.session, tick)
        for kind in registration.CLASSES:
            if "draw" in vars(kind) and hasattr(kind, "bl_space_type"):
                kind.draw = self._drawing(takes.session, kind.draw)

    def watch_evaluations(self, session: Any) -> None:  # noqa: ANN401
        """Begins to measure what Blender does when something has changed."""
        import bpy

        def begin(*_: object) -> None:
            self._began = time.thread_time()

        def end(*_: object) -> None:
            if session.job:
                self.evaluations.append(time.thread_time() - self._began)

        for handlers, handler in (
            (bpy.app.handlers.depsgraph_update_pre, begin),
            (bpy.app.handlers.depsgraph_update_post, end),
        ):
            # Another file may be opened meanwhile.
            handlers.append(bpy.app.handlers.persistent(handler))

    def _drawing(self, session: Any, draw: Callable[..., Any]) -> Callable[[Any, Any], Any]:  # noqa: ANN401
        # Blender counts the parameters: they must be named.
        def drawing(panel: Any, context: Any) -> Any:  # noqa: ANN401
            return self.timed(session, draw, panel, context)

        return drawing

    def timed(self, session: Any, function: Callable[..., Any], *words: Any) -> Any:  # noqa: ANN401
        """What the function returns; its time is noted where a request is on its way in the add-on's session."""
        if session.job is None:
            return function(*words)
        before = time.thread_time()
        try:
            return function(*words)
        finally:
            self.calls.append(time.thread_time() - before)

    def rows(self) -> list[tuple[str, int]]:
        """The histogram: a range of milliseconds and how many calls took so long."""
        edges = (0.0, *STEPS, float("inf"))
        counts = [sum(low <= each < high for each in self.calls) for low, high in pairwise(edges)]
        names = [f"under {1e3 * step:g} ms" for step in STEPS] + [f"{1e3 * STEPS[-1]:g} ms or more"]
        return list(zip(names, counts, strict=True))

    def tell(self) -> bool:
        """Prints the histogram; whether there was anything to measure."""
        lines = [f"{name:>14} {count:6}" for name, count in self.rows()]
        lines += [f"Longest {1e3 * self.longest:.1f} ms."]
        sys.stdout.write("\n".join(["Main thread while generating, calls of the add-on:", *lines, ""]))
        sys.stdout.flush()
        return bool(self.calls)
