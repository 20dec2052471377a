# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py generate, library, train, ...: commands of the backend, run in its environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .console import ROOT, call
from .environments import BACKEND, ensure

if TYPE_CHECKING:
    import argparse


def run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    """The backend's command of the same name; its own options and help."""
    command = parser.prog.split()[-1]
    # Where the caller stands: paths among the words are meant from there.
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return call([ensure(BACKEND), "-m", "backend", command, *words], env=env, cwd=Path.cwd())
