# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py lock: the lists of packages with hashes that the add-on installs from, made from pyproject.toml by uv."""

from __future__ import annotations

import re
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
WHEELS: Final = Path(__file__).with_name("pytorch_wheels.toml")
HEADER: Final = """\
# SPDX-License-Identifier: GPL-3.0-or-later
# {what}
# Made by `python3 build.py lock {name}` from pyproject.toml; do not edit.
"""
WHAT: Final = {
    "standard": "PyTorch as published: CUDA on Linux, Metal on a Mac, the processor on Windows.",
    "cpu": "PyTorch for the processor alone, Linux x86-64.",
    "cuda": "PyTorch for NVIDIA GPUs, Windows x86-64.",
    "uv": "The installer of the other lists.",
}


def run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    parser.add_argument("names", nargs="*", default=list(WHAT), help=f"{', '.join(WHAT)} (default: all)")
    parser.add_argument("--wheels", type=Path, help="a folder that holds a build of PyTorch for the processor")
    options = parser.parse_args(words)
    for name in options.names:
        if name not in WHAT:
            raise BuildError(f"There is no list {name!r}.", f"Choose one of: {', '.join(WHAT)}.")
        content = HEADER.format(what=WHAT[name], name=name) + _list(name, options.wheels)
        LOCKS.mkdir(parents=True, exist_ok=True)
        (LOCKS / f"{name}.txt").write_text(content, "utf-8")
        say(f"{relative(LOCKS / f'{name}.txt')}  {content.count('--hash')} hashes")
    return 0


def _list(name: str, wheels: Path | None) -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needs, groups = project["project"]["dependencies"], project["dependency-groups"]
    if name == "uv":
        return _compile([each for each in groups["tools"] if each.startswith("uv=")], ["--no-deps"])
    if name == "cpu":
        # What the build for the processor needs is in its own wheel alone: it asks for none of the CUDA packages.
        source = ["--find-links", str(wheels.absolute())] if wheels else ["--torch-backend", "cpu"]
        on_linux = _compile([f"{each}+cpu" if each.startswith("torch=") else each for each in needs], source, "linux")
        made = with_build(on_linux, "cpu")
    elif name == "cuda":
        # On Windows the wheel brings CUDA along, so it needs what the one for the processor needs.
        made = with_build(_compile(needs, [], "win32"), "cu130")
    else:
        made = _compile(needs, [])
    return made + _compile(groups["text-encoder"], ["--no-deps"])


def with_build(listed: str, build: str) -> str:
    """The list with PyTorch's own build in the place of the common one, by the hashes of `pytorch_wheels.toml`."""
    known = tomllib.loads(WHEELS.read_text("utf-8"))
    entry = re.compile(
        r"^torch==(?P<version>[\d.]+)(?:\+\w+)?(?P<marker>[^\\\n]*?) \\\n(?:    --hash=\S+(?: \\)?\n)+", re.M
    )
    found = entry.search(listed)
    if not found or found["version"] != known["version"]:
        raise BuildError(
            f"{relative(WHEELS)} has the hashes of PyTorch {known['version']}, another version is wanted.",
            "Copy those of the new version from PyTorch's own index.",
        )
    lines = [f"torch=={found['version']}+{build}{found['marker']}"]
    lines += [f"    --hash=sha256:{each}" for each in sorted(known[build].values())]
    return listed[: found.start()] + " \\\n".join(lines) + "\n" + listed[found.end() :]


def _compile(needs: Sequence[str], options: Sequence[str], system: str = "") -> str:
    """uv's list for the needs and all that they need on any or one system (as `sys.platform` names it), with the hash
    of every file that may be installed."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "pyproject.toml"
        wanted.write_text(
            f'[project]\nname = "wanted"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = {list(needs)}\n'
            + (f"[tool.uv]\nenvironments = [\"sys_platform == '{system}'\"]\n" if system else "")
        )
        command = [
            ensure(BACKEND), "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--universal",
            "--python-version", "3.11", "--generate-hashes", "--no-emit-find-links", "--no-emit-index-url", *options,
            wanted.name,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603
    if done.returncode:
        raise BuildError(
            f"uv cannot make the list:\n{done.stderr.strip()}",
            "Check the network, or name a folder with the missing files: --wheels FOLDER.",
        )
    return done.stdout
