# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work in short steps: a generator that runs on Blender's main thread and yields whatever needs no Blender.

A yielded function (numpy, never bpy) is called beside the main thread, and the generator goes on with what it returned.
A yielded None lets Blender have its time, nothing more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Work = Generator[Callable[[], Any] | None, Any, T]


def at_once(work: Work[T]) -> T:
    """The result of all steps, one right after the other on this thread."""
    steps = Steps(work)
    while not steps.advance(beside=False):
        pass
    return steps.result


class Steps(Generic[T]):
    """`advance` again and again until it returns True; then `result` is there."""

    result: T

    def __init__(self, work: Work[T]) -> None:
        self._work = work
        self._errand: _Errand | None = None

    def advance(self, *, beside: bool = True) -> bool:
        """At most one step on this thread; returns whether it was the last. What goes wrong beside comes out here.

        Without `beside` everything is done on this thread.
        """
        errand = self._errand
        if errand and errand.is_alive():
            return False
        try:
            if errand and errand.error:
                wanted = self._work.throw(errand.error)
            else:
                wanted = self._work.send(errand.result if errand else None)
        except StopIteration as end:
            self.result = end.value
            return True
        self._errand = _Errand(wanted) if wanted else None
        if self._errand and beside:
            self._errand.start()
        elif self._errand:
            self._errand.run()
        return False


class _Errand(threading.Thread):
    """One function, called once."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__(name="remodiffuse-step", daemon=True)
        self._function = function
        self.result: Any = None
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.result = self._function()
        except Exception as error:
            self.error = error
