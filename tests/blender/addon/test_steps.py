# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work in short steps."""

from __future__ import annotations

import importlib
import threading
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from scenes import Rna


def work(seen: list[str], spoil: bool = False) -> Generator[Rna, Rna, int]:
    def beside() -> int:
        time.sleep(0.05)
        seen.append(threading.current_thread().name)
        if spoil:
            raise ValueError("spoilt")
        return 3

    yield None
    try:
        number = yield beside
    except ValueError:
        seen.append("told")
        raise
    return number + 1


@pytest.fixture
def steps(addon: str) -> Rna:
    return importlib.import_module(f"{addon}.steps")


def test_work_is_done_beside_and_nobody_waits_for_it(steps: Rna) -> None:
    seen: list[str] = []
    coming = steps.Steps(work(seen))
    longest = 0.0
    done = False
    while not done:
        begin = time.thread_time()
        done = coming.advance()
        longest = max(longest, time.thread_time() - begin)
        time.sleep(0.002)
    assert coming.result == 4
    assert seen == ["remodiffuse-step"]
    assert longest < 0.02


def test_at_once_it_is_done_here(steps: Rna) -> None:
    seen: list[str] = []
    assert steps.at_once(work(seen)) == 4
    assert seen == [threading.current_thread().name]


@pytest.mark.parametrize("beside", [True, False])
def test_what_goes_wrong_beside_is_told_to_the_work_first(steps: Rna, beside: bool) -> None:
    seen: list[str] = []
    coming = steps.Steps(work(seen, spoil=True))
    with pytest.raises(ValueError, match="spoilt"):
        while not coming.advance(beside=beside):
            time.sleep(0.002)
    assert seen[1:] == ["told"]
