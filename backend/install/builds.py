# SPDX-License-Identifier: GPL-3.0-or-later
"""Which build of PyTorch suits this machine, and the locked list of packages that goes with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from ..errors import BackendError
from .machine import CUDA_DRIVER, Machine

LOCKS: Final = Path(__file__).parent / "locks"


@dataclass(frozen=True, slots=True)
class Build:
    """A locked list `locks/NAME.txt`; `build.py lock` makes it.

    `backend` is uv's word for where the builds of PyTorch lie, empty for the common index. `installed` and `download`
    are bytes as measured on Linux x86-64 with Python 3.11; of `cuda` the download is the sum of its files, and what
    they take on the disk is an estimate, on the safe side: nothing here could unpack them.
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


PYTHONS: Final = ((3, 11), (3, 12), (3, 13), (3, 14))
BUILDS: Final = {
    build.name: build
    for build in (
        Build(
            "standard",
            "PyTorch as published: CUDA on Linux, Metal on a Mac, the processor on Windows",
            "",
            2_852_000_000,
            4_900_000_000,
            PYTHONS,
        ),
        Build("cpu", "PyTorch for the processor alone, on Linux", "cpu", 313_000_000, 924_000_000, PYTHONS),
        Build("cuda", "PyTorch for NVIDIA GPUs, on Windows", "cu130", 2_000_000_000, 5_000_000_000, PYTHONS),
    )
}


@cache
def newest_fingerprints() -> frozenset[str]:
    """Those of all builds, as this version of the add-on installs them."""
    return frozenset(build.fingerprint() for build in BUILDS.values())


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
        return _fitting(BUILDS[wish], machine)
    name = "standard"
    if machine.system == "Linux" and machine.processor == "x86_64" and not machine.runs_cuda():
        name = "cpu"
    elif machine.system == "Windows" and machine.processor == "AMD64" and machine.runs_cuda():
        name = "cuda"
    return _fitting(BUILDS[name], machine)


def _fitting(build: Build, machine: Machine) -> Build:
    if machine.python in build.pythons:
        return build
    names = ", ".join(f"{major}.{minor}" for major, minor in build.pythons)
    raise BackendError(
        "python_unsupported",
        f"PyTorch is not locked for Python {machine.python[0]}.{machine.python[1]}.",
        f"Install with one of the Pythons {names}: choose it as Python for installing in the add-on's preferences.",
    )


def note(machine: Machine, build: Build) -> str:
    """What a person with a GPU that this build does not use should know; empty where there is nothing to say."""
    if machine.gpu == "amd":
        return "The AMD GPU is not used: the ROCm build is not in our lock. An environment of your own can use it."
    if machine.gpu != "nvidia" or build.name == "cuda" or (build.name == "standard" and machine.system == "Linux"):
        return ""
    if machine.too_old():
        return "The NVIDIA GPU is not used: it is older than Turing (GTX 16, RTX 20), which CUDA 13 needs."
    if not machine.driver:
        return "The NVIDIA GPU is not used: its driver does not answer. Mend the driver, then press Repair."
    if machine.driver < CUDA_DRIVER:
        return (
            f"The NVIDIA GPU is not used: its driver is version {machine.driver}, CUDA 13 needs {CUDA_DRIVER}."
            " Update the driver, then press Repair."
        )
    return "The NVIDIA GPU is not used: this build is for the processor. With Automatic as the device press Repair."
