# SPDX-License-Identifier: GPL-3.0-or-later
"""How many threads torch is given, and how they wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.threads import MAX_THREADS

ROOT = Path(__file__).parents[2]
SETTINGS = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


def _settings(wanted: int | None, before: str = "", **given: str) -> list[str]:
    """What a process of its own finds in its environment afterwards."""
    script = (
        f"{before}\nimport os\nfrom backend.threads import limit_threads\nlimit_threads({wanted})\n"
        f"print(*(os.environ.get(name, '-') for name in {SETTINGS}))"
    )
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=kept | given, capture_output=True, text=True, check=True
    )
    return run.stdout.split()


def test_a_wish_is_followed_and_threads_wait_a_little() -> None:
    assert _settings(3) == ["3", "PASSIVE", "10000", "1"]


def test_the_environments_own_settings_are_respected() -> None:
    given = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "ACTIVE"}
    assert _settings(None, **given) == ["1", "ACTIVE", "-", "-"]


@pytest.mark.skipif(sys.platform != "linux", reason="a process is kept on one core on Linux only")
def test_only_processors_that_the_process_may_use_count() -> None:
    alone = "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    assert _settings(None, alone)[0] == "1"
    assert _settings(None)[0] == str(min(MAX_THREADS, len(os.sched_getaffinity(0))))


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_numpy_starts_no_threads_of_its_own() -> None:
    script = (
        "import sys, os; sys.argv = ['backend', 'serve', '--help']\n"
        "from backend.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "import numpy; matrix = numpy.ones((999, 999)); matrix @ matrix; print(len(os.listdir('/proc/self/task')))"
    )
    kept = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=kept, capture_output=True, text=True, check=True)
    assert run.stdout.split()[-1] == "1"
