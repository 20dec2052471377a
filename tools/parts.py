# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the tests and how one is run: backend and motion maths in .venv, the built zip in each Blender."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .console import call
from .environments import BACKEND, BLENDERS, ensure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BACKEND_PART: Final = "backend"
PARTS: Final = (BACKEND_PART, *BLENDERS)


def run_part(
    part: str,
    archive: Path | None,
    report: Path,
    words: Sequence[str | Path] = (),
    *,
    settings: Mapping[str, str] | None = None,
    timeout: float,
) -> int:
    """Run pytest for a part with more words of its own; its exit code. `archive` is the built zip, for Blenders.

    `settings` are added to the environment. `report` becomes pytest's JUnit report, at the end.
    """
    report.unlink(missing_ok=True)
    report.parent.mkdir(parents=True, exist_ok=True)
    env = os.environ | dict(settings or {})
    backend_python = ensure(BACKEND)
    if part == BACKEND_PART:
        named = any(str(word).startswith("tests/") for word in words)
        tests = [] if named else ["tests", *(f"--ignore=tests/{folder}" for folder in ("blender", "gui"))]
        return call([backend_python, "-m", "pytest", *tests, f"--junitxml={report}", *words], env=env, timeout=timeout)
    python = ensure(BLENDERS[part])
    with tempfile.TemporaryDirectory(prefix="remodiffuse-home-", ignore_cleanup_errors=True) as home:
        env |= {
            "HOME": home,
            "BLENDER_USER_RESOURCES": str(Path(home) / "blender"),
            "REMODIFFUSE_ZIP": str(archive),
            "REMODIFFUSE_PYTHON": str(backend_python),
        }
        return call([python, "tests/blender/run.py", f"--junitxml={report}", *words], env=env, timeout=timeout)
