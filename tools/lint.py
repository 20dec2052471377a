# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py lint: style by ruff, types by pyright."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .console import call, say
from .environments import BACKEND, ensure

if TYPE_CHECKING:
    import argparse


def run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    parser.add_argument("--fix", action="store_true", help="mend what can be mended and format the code")
    fix = parser.parse_args(words).fix
    python = ensure(BACKEND)
    checks = {
        "ruff check": ["ruff", "check", *(["--fix"] if fix else [])],
        "ruff format": ["ruff", "format", *([] if fix else ["--check"])],
        "pyright": ["pyright"],
    }
    failed = [name for name, check in checks.items() if call([python, "-m", *check])]
    say(f"Failed: {', '.join(failed)}" if failed else "Lint and types are clean.")
    return 1 if failed else 0
