# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py lock: the lists of packages with hashes that the add-on installs from, made from pyproject.toml by uv."""

from __future__ import annotations

import subprocess
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .console import ROOT, BuildError, relative, say
from .environments import BACKEND, ensure

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

LOCKS: Final = ROOT / "backend" / "install" / "locks"
HEADER: Final = """\
# SPDX-License-Identifier: GPL-3.0-or-later
# {what}
# Made by `python3 build.py lock {name}` from pyproject.toml; do not edit.
"""


def run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    parser.add_argument("names", nargs="*", default=["standard", "cpu", "uv"], help="standard, cpu, uv (default: all)")
    parser.add_argument("--wheels", type=Path, help="a folder that holds the build of PyTorch for the processor")
    options = parser.parse_args(words)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needs, groups = project["project"]["dependencies"], project["dependency-groups"]
    alone = _compile(["--no-deps", "--universal"], groups["text-encoder"])
    made = {
        "standard": lambda: _compile(["--universal"], needs) + alone,
        # The hashes of one Python and one platform: that of the file in --wheels, or all that the index names.
        "cpu": lambda: (
            _compile(_source(options.wheels), [f"{need}+cpu" if need.startswith("torch=") else need for need in needs])
            + alone
        ),
        "uv": lambda: _compile(
            ["--no-deps", "--universal"], [each for each in groups["tools"] if each.startswith("uv=")]
        ),
    }
    what = {
        "standard": "PyTorch as published: CUDA on Linux, Metal on a Mac, the processor on Windows.",
        "cpu": "PyTorch for the processor alone, Linux x86-64.",
        "uv": "The installer of the other lists.",
    }
    for name in options.names:
        if name not in made:
            raise BuildError(f"There is no list {name!r}.", f"Choose one of: {', '.join(made)}.")
        content = HEADER.format(what=what[name], name=name) + made[name]()
        LOCKS.mkdir(parents=True, exist_ok=True)
        (LOCKS / f"{name}.txt").write_text(content, "utf-8")
        say(f"{relative(LOCKS / f'{name}.txt')}  {content.count('--hash')} hashes")
    return 0


def _source(wheels: Path | None) -> list[str]:
    """Where the build for the processor comes from: a folder, or the index that uv knows."""
    return ["--find-links", str(wheels)] if wheels else ["--torch-backend", "cpu"]


def _compile(options: Sequence[str], needs: Sequence[str]) -> str:
    """uv's list for the needs and all that they need, with the hash of every file that may be installed."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.in"
        wanted.write_text("\n".join(needs))
        command = [
            ensure(BACKEND), "-m", "uv", "pip", "compile", "--quiet", "--no-config", "--no-header", "--no-annotate",
            "--python-version", "3.11", "--generate-hashes", "--no-emit-find-links", "--no-emit-index-url", *options,
            wanted,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BuildError(
            f"uv cannot make the list:\n{done.stderr.strip()}",
            "Check the network, or name a folder with the missing files: --wheels FOLDER.",
        )
    return done.stdout
