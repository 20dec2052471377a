# SPDX-License-Identifier: GPL-3.0-or-later
"""Make an environment of the backend's own, from a locked list with a hash for every file."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..console.frames import watched
from ..console.terminal import ProgressLine
from .builds import BUILDS, choose_build
from .place import Place
from .steps import Installer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    place = Place(options.folder.absolute())
    if options.uninstall:
        return watched(lambda _: _uninstall(place)) if options.frames else bool(_uninstall(place))
    installer = Installer(
        place,
        choose_build(options.build),
        online=not options.offline,
        wheels=options.wheels and options.wheels.absolute(),
    )
    if options.frames:
        return watched(lambda progress: _install(installer, options.repair, progress), installer.end)
    with ProgressLine() as line:
        ready = _install(installer, options.repair, lambda stage, *count: line(stage, *_megabytes(*count)))["ready"]
    sys.stdout.write(f"{place.python}\n{ready['bytes'] / 1e6:.0f} MB in {ready['seconds']:.0f} s, {ready['device']}\n")
    return 0


def _install(installer: Installer, repair: bool, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    installer.progress = progress
    if repair:
        installer.place.clear()
    return {"ready": asdict(installer.install())}


def _uninstall(place: Place) -> dict[str, Any]:
    place.remove()
    return {}


def _megabytes(done: int, total: int) -> tuple[int, int]:
    """Bytes are too many to read."""
    return (done // 1_000_000, total // 1_000_000) if total > 1_000_000 else (done, total)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backend install", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="a new folder, or that of an earlier installation")
    parser.add_argument(
        "--build", default="auto", choices=["auto", "processor", *BUILDS], help="of PyTorch (default: what suits)"
    )
    parser.add_argument("--wheels", type=Path, help="a folder of wheels that is searched before the network")
    parser.add_argument("--offline", action="store_true", help="leave the network alone: everything is in --wheels")
    parser.add_argument("--repair", action="store_true", help="remove what is there first")
    parser.add_argument("--uninstall", action="store_true", help="remove what is there and stop")
    parser.add_argument("--frames", action="store_true", help=argparse.SUPPRESS)
    return parser
