# SPDX-License-Identifier: GPL-3.0-or-later
"""What would make an installation fail, found before anything is fetched."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Final

from ..errors import BackendError

if TYPE_CHECKING:
    from pathlib import Path

    from .builds import Build

SPARE_BYTES: Final = 500_000_000
"""Free space that is left to the rest of the machine."""


def check_space(folder: Path, build: Build, there: int) -> None:
    """`there` are bytes of an earlier attempt, which need no room again."""
    needed = max(build.installed - there, 0) + SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackendError(
            "disk_full",
            f"Installing needs {needed / 1e9:.1f} GB, on the disk of {folder} {free / 1e9:.1f} GB are free.",
            "Free some space, then install again: what is there already is kept.",
        )


def check_source(online: bool, wheels: Path | None) -> None:
    if wheels is not None and not wheels.is_dir():
        raise BackendError("no_wheels", f"{wheels} is no folder.", "Choose the folder that holds the wheels, or none.")
    if not online and wheels is None:
        raise BackendError(
            "offline",
            "Blender may not go online, and no folder of wheels is named.",
            "Allow Online Access in Preferences > System > Network, or choose a folder of wheels.",
        )


def check_python() -> None:
    if sys.maxsize < 2**32:
        raise BackendError("python_unsupported", "This is a Python of 32 bits.", "Install with a Python of 64 bits.")
