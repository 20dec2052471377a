# SPDX-License-Identifier: GPL-3.0-or-later
"""Which build of PyTorch suits this machine, and the locked list of packages that goes with it."""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

LOCKS: Final = Path(__file__).parent / "locks"


@dataclass(frozen=True, slots=True)
class Build:
    """A locked list `locks/NAME.txt`; `build.py lock` makes it.

    `backend` is uv's word for where the builds of PyTorch lie, empty for the common index. `installed` and `download`
    are bytes as measured on Linux x86-64 with Python 3.11.
    """

    name: str
    words: str
    backend: str
    download: int
    installed: int
    pythons: tuple[tuple[int, int], ...]

    @property
    def lock(self) -> Path:
        return LOCKS / f"{self.name}.txt"

    def fingerprint(self) -> str:
        """Changes whenever something else is to be installed."""
        return hashlib.sha256(self.lock.read_bytes()).hexdigest()


BUILDS: Final = {
    build.name: build
    for build in (
        Build(
            "standard",
            "PyTorch as published: CUDA on Linux, Metal on a Mac, the processor on Windows",
            "",
            2_852_000_000,
            4_900_000_000,
            ((3, 11), (3, 12), (3, 13), (3, 14)),
        ),
        Build("cpu", "PyTorch for the processor alone, on Linux", "cpu", 313_000_000, 924_000_000, ((3, 11),)),
    )
}


@cache
def newest_fingerprints() -> frozenset[str]:
    """Those of all builds, as this version of the add-on installs them."""
    return frozenset(build.fingerprint() for build in BUILDS.values())


@dataclass(frozen=True, slots=True)
class Machine:
    """What the choice depends on. `gpu` is "nvidia", "amd", "apple" or empty."""

    system: str
    processor: str
    python: tuple[int, int]
    gpu: str

    @classmethod
    def this(cls) -> Machine:
        return cls(platform.system(), platform.machine(), sys.version_info[:2], _gpu())


def _gpu() -> str:
    if platform.system() == "Darwin":
        return "apple" if platform.machine() == "arm64" else ""
    if Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi"):
        return "nvidia"
    return "amd" if Path("/sys/class/kfd/kfd/topology/nodes/1").exists() else ""


def choose_build(wish: str = "auto", machine: Machine | None = None) -> Build:
    """The build of the name, or for "auto" the smallest one that uses what the machine has, for "processor" that and
    no GPU.

    Raises BackendError where there is none for this Python.
    """
    machine = machine or Machine.this()
    if wish == "processor":
        machine = replace(machine, gpu="")
    elif wish != "auto":
        if wish not in BUILDS:
            raise BackendError(
                "no_build", f'There is no build "{wish}".', f"Choose auto or one of: {', '.join(BUILDS)}."
            )
        return _fitting([BUILDS[wish]], machine)
    small = machine.system == "Linux" and machine.processor == "x86_64" and machine.gpu != "nvidia"
    return _fitting([BUILDS["cpu"], BUILDS["standard"]] if small else [BUILDS["standard"]], machine)


def _fitting(candidates: Sequence[Build], machine: Machine) -> Build:
    for build in candidates:
        if machine.python in build.pythons:
            return build
    supported = sorted({python for build in candidates for python in build.pythons})
    names = ", ".join(f"{major}.{minor}" for major, minor in supported)
    raise BackendError(
        "python_unsupported",
        f"PyTorch is not locked for Python {machine.python[0]}.{machine.python[1]}.",
        f"Install with one of the Pythons {names}: choose it as Python for installing in the add-on's preferences.",
    )


def note(machine: Machine, build: Build) -> str:
    """What a person with a GPU that this build does not use should know; empty where there is nothing to say."""
    if machine.gpu == "amd":
        return "The AMD GPU is not used: the ROCm build is not in our lock. An environment of your own can use it."
    if machine.gpu == "nvidia" and (machine.system == "Windows" or build.name == "cpu"):
        return "The NVIDIA GPU is not used: this build is for the processor. An environment of your own can use it."
    return ""
