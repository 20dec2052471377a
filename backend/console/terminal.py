# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of long work as one line on the terminal."""

from __future__ import annotations

import sys
from typing import Final, Self

WIDTH: Final = 30


class ProgressLine:
    """Call it with (stage, step, steps). Silent where standard error is no terminal."""

    def __enter__(self) -> Self:
        return self

    def __call__(self, stage: str, step: int, steps: int) -> None:
        done = WIDTH * step // max(steps, 1)
        self._show(f"{stage:12} [{'#' * done}{'.' * (WIDTH - done)}] {step}/{steps}")

    def __exit__(self, *_: object) -> None:
        self._show("")

    def _show(self, text: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
