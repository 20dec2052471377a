# SPDX-License-Identifier: GPL-3.0-or-later
"""How many threads a denoising step takes, on a processor that has other things to do."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from backend.diffusion import pace
from backend.diffusion.pace import PATIENCE, Pace, paced

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKEND = Path(__file__).parents[3]
CORES = 4


class Processor:
    """A clock, and what steps take on CORES cores of which others hold some: a thread without a core of its own makes
    all of its step's threads wait."""

    def __init__(self) -> None:
        self.held = 0
        self.now = self.used = 0.0
        self.tried: list[int] = []

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.used

    def work(self) -> None:
        threads = torch.get_num_threads()
        waits = threads > CORES - self.held
        seconds = 0.016 / threads * (10 if waits else 1)
        self.now += seconds
        self.used += seconds * (threads if not waits else CORES - self.held)
        self.tried.append(threads)


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Processor]:
    processor, before = Processor(), torch.get_num_threads()
    monkeypatch.setattr(pace, "time", processor)
    yield processor
    torch.set_num_threads(before)


def test_alone_all_threads_work_and_nothing_is_tried(processor: Processor) -> None:
    _steps(Pace(CORES), processor, 100)
    assert processor.tried == [CORES] * 100


def test_beside_others_fewer_threads_work_until_the_others_stop(processor: Processor) -> None:
    steps = Pace(CORES)
    _steps(steps, processor, 5)
    processor.held = 2
    _steps(steps, processor, 5)
    assert steps.threads == 2
    begin = processor.now
    _steps(steps, processor, 2000)
    assert steps.threads == 2
    wasted = sum(0.04 - 0.008 for threads in processor.tried[10:] if threads == CORES)
    assert 0 < wasted <= (processor.now - begin) / PATIENCE
    processor.held = 0
    _steps(steps, processor, 200)
    assert steps.threads == CORES


def test_fewer_threads_that_are_slower_are_left_at_once(processor: Processor) -> None:
    steps = Pace(CORES)
    processor.held = 2
    processor.work = lambda: _slower_with_fewer(processor)
    _steps(steps, processor, 400)
    assert steps.threads == CORES
    assert {CORES, CORES // 2} == set(processor.tried)
    assert not any(a == b == CORES // 2 for a, b in pairwise(processor.tried))


def test_only_steps_of_equal_work_are_compared(processor: Processor) -> None:
    steps = Pace(CORES)
    processor.held = 2
    for number in range(20):
        with steps.step(number):
            processor.work()
    assert processor.tried == [CORES] * 20


def test_sampling_gives_the_threads_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with pytest.raises(RuntimeError), paced(torch.device("cpu")) as around:
            with around(0):
                torch.set_num_threads(1)
            raise RuntimeError
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a process is kept on one core on Linux only")
def test_two_threads_on_one_real_core_become_one() -> None:
    script = """
import os
from backend.threads import limit_threads
limit_threads(2)
import torch
from backend.diffusion.pace import Pace
matrix = torch.randn(256, 256)
matrix @ matrix  # starts the threads
for thread in os.listdir("/proc/self/task"):
    os.sched_setaffinity(int(thread), {min(os.sched_getaffinity(0))})
pace = Pace(2)
for _ in range(40):
    with pace.step(None):
        for _ in range(20):
            torch.relu(matrix @ matrix)
    if pace.threads == 1:
        break
print(pace.threads)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=BACKEND, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["1"], done.stderr


def _steps(steps: Pace, processor: Processor, count: int) -> None:
    for _ in range(count):
        with steps.step("work"):
            processor.work()


def _slower_with_fewer(processor: Processor) -> None:
    threads = torch.get_num_threads()
    processor.now += 0.016 / threads
    processor.used += 0.5 * 0.016
    processor.tried.append(threads)
