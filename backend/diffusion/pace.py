# SPDX-License-Identifier: GPL-3.0-or-later
"""How many threads a denoising step takes, beside whatever else the processor has to do.

The threads of a step wait for each other hundreds of times. Where another process holds one of their cores, Blender
playing an animation for instance, all wait for the one that may not run, and fewer threads are several times as fast.
Nobody says when that begins or ends, so a step now and then is spent on trying. Takes depend on it by rounding at
most, the starter model's not at all where that was tried.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

CROWDED: Final = 0.7
"""Below this share of the processor time that its threads could have had, a step was held up by others: 0.5 on two
cores beside one busy process, 0.85 to 1 alone."""
PATIENCE: Final = 20
"""Trying may cost one part in so many of the time."""


class Pace:
    """Finds how many threads pay, by the time of denoising steps of equal work."""

    def __init__(self, most: int) -> None:
        self.threads = self._most = most
        self._work: object = None
        self._seconds = 0.0
        self._crowded = False
        self._next_try = 0.0

    @contextmanager
    def step(self, work: object) -> Iterator[None]:
        """Around one step; steps of equal `work` are compared with each other."""
        threads = self._choose(work)
        _work_with(threads)
        begin, used = time.perf_counter(), time.process_time()
        yield
        seconds = max(time.perf_counter() - begin, 1e-9)
        self._learn(work, threads, seconds, (time.process_time() - used) / seconds)

    def _choose(self, work: object) -> int:
        if work == self._work and time.perf_counter() >= self._next_try:
            if self._crowded and self.threads > 1:
                return self.threads // 2
            if self.threads < self._most:
                return min(2 * self.threads, self._most)
        return self.threads

    def _learn(self, work: object, threads: int, seconds: float, busy: float) -> None:
        if threads != self.threads:
            self._next_try = time.perf_counter() + PATIENCE * seconds
            if seconds >= self._seconds:
                return
        self.threads, self._work, self._seconds = threads, work, seconds
        self._crowded = busy < CROWDED * threads


@contextmanager
def paced(device: torch.device) -> Iterator[Callable[[object], AbstractContextManager[None]]]:
    """What to put around each step, see `Pace.step`; nothing where another device does the work."""
    if device.type != "cpu":
        yield lambda work: nullcontext()
        return
    most = torch.get_num_threads()
    try:
        yield _pace(most).step
    finally:
        _work_with(most)


def _work_with(threads: int) -> None:
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


@cache
def _pace(most: int) -> Pace:
    """What this process has learned so far of its processor."""
    return Pace(most)
