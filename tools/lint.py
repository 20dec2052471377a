# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py lint: style by ruff, types by pyright, which room takes from which by import-linter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .console import call, say
from .environments import BACKEND, ensure

if TYPE_CHECKING:
    import argparse


def run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    parser.add_argument("--fix", action="store_true", help="mend what can be mended and format the code")
    fix = parser.parse_args(words).fix
    python = ensure(BACKEND)
    module = [python, "-m"]
    checks = {
        "ruff check": [*module, "ruff", "check", *(["--fix"] if fix else [])],
        "ruff format": [*module, "ruff", "format", *([] if fix else ["--check"])],
        "pyright": [*module, "pyright"],
        "imports": [Path(python).with_name("lint-imports"), "--no-logo", "--no-cache", "pyproject.toml"],
    }
    failed = [name for name, check in checks.items() if call(check)]
    say(f"Failed: {', '.join(failed)}" if failed else "Style, types and imports are clean.")
    return 1 if failed else 0
