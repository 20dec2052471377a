# SPDX-License-Identifier: GPL-3.0-or-later
"""The processor's threads: how many there are, and how long they wait for each other before they sleep.

How many of them work at a time is `diffusion.pace`'s to say, which also makes long waiting safe beside a busy Blender.
"""

from __future__ import annotations

import os
import sys
from typing import Final

MAX_THREADS: Final = 8
"""The matrices of one clip are small: more threads wait for each other longer than they work."""
_WAITING: Final = {
    # Neither spinning on (20 s instead of 0.5 s for a clip beside another busy process) nor sleeping at once: waking
    # threads is dear where nothing else keeps the processor awake (0.44 s instead of 0.20 s on two idle cores).
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "10000",
    # Linux has GNU's OpenMP. Windows has Intel's, macOS has LLVM's; they know only whole milliseconds.
    "KMP_BLOCKTIME": "1",
}


def keep_numpy_to_one_thread() -> None:
    """Must be called before numpy is imported. The environment's own setting is respected.

    What numpy multiplies here is small, but the threads of its OpenBLAS spin on for a while after each product: the
    conditions of a take cost 19 to 49 ms instead of 9 on two cores, and its first steps were slower, too.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def limit_threads(wanted: int | None) -> None:
    """Must be called before torch is imported. Without a wish, the environment's own settings are respected."""
    if wanted is not None:
        os.environ["OMP_NUM_THREADS"] = str(wanted)
    os.environ.setdefault("OMP_NUM_THREADS", str(min(MAX_THREADS, _processors())))
    if "OMP_WAIT_POLICY" not in os.environ:
        for name, value in _WAITING.items():
            os.environ.setdefault(name, value)


def _processors() -> int:
    """Those that this process may use; a scheduler or a container may keep it on some."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
