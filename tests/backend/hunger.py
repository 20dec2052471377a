# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory a piece of work takes at its worst, beyond what was held before."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CLEAR = Path("/proc/self/clear_refs")


class Peak:
    bytes = 0


def memory(name: str) -> int:
    """Bytes of a line of /proc/self/status: VmRSS is now, VmHWM the peak."""
    line = next(each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith(name))
    return int(line.split()[1]) * 1024


@contextmanager
def measured() -> Iterator[Peak]:
    """Skips the test where peaks cannot be read. The peak so far is forgotten."""
    if not CLEAR.exists():
        pytest.skip("peaks of memory are read on Linux")
    CLEAR.write_text("5")
    before, peak = memory("VmRSS"), Peak()
    yield peak
    peak.bytes = memory("VmHWM") - before
