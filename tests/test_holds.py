# SPDX-License-Identifier: GPL-3.0-or-later
"""What is counted as holding Blender up, and how it is told."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

from tools.holds import Holds

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def work(seconds: float) -> Callable[[], str]:
    def working() -> str:
        begin = time.thread_time()
        while time.thread_time() - begin < seconds:
            pass
        return "done"

    return working


def test_only_calls_during_a_request_count() -> None:
    holds, session = Holds("nowhere"), SimpleNamespace(job=None)
    assert holds.timed(session, work(0.03)) == "done"
    assert holds.longest == 0.0
    session.job = object()
    holds.timed(session, work(0.03))
    holds.timed(session, lambda: None)
    assert dict(holds.rows())["20 ms or more"] == 1
    assert sum(count for _, count in holds.rows()) == 2
    assert 0.03 <= holds.longest < 1.0
    holds.timed(session, lambda: setattr(session, "job", None))
    assert sum(count for _, count in holds.rows()) == 3


def test_a_pause_is_no_hold(capsys: pytest.CaptureFixture[str]) -> None:
    holds = Holds("nowhere")
    holds.timed(SimpleNamespace(job=object()), lambda: time.sleep(0.05))
    assert holds.longest < 0.02
    assert holds.tell()
    assert "under 1 ms" in capsys.readouterr().out
