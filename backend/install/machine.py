# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine has that the choice of a build depends on: its system, its Python, its GPU and the GPU's driver."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

CUDA_DRIVER: Final = 580
"""The first NVIDIA driver that runs CUDA 13, which the builds of our lists bring along."""
CUDA_CAPABILITY: Final = (7, 5)
"""The oldest GPUs that CUDA 13 computes on, in NVIDIA's counting: Turing, the GTX 16 and RTX 20 series."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the choice depends on. `gpu` is "nvidia", "amd", "apple" or empty.

    For "nvidia", `driver` is the driver's main version, 0 where nobody could tell, and `capability` the best GPU's,
    None likewise.
    """

    system: str
    processor: str
    python: tuple[int, int]
    gpu: str
    driver: int = 0
    capability: tuple[int, int] | None = None

    @classmethod
    def this(cls) -> Machine:
        system, processor, python = platform.system(), platform.machine(), sys.version_info[:2]
        if system == "Darwin":
            return cls(system, processor, python, "apple" if processor == "arm64" else "")
        if found := nvidia():
            return cls(system, processor, python, "nvidia", *found)
        return cls(system, processor, python, "amd" if Path("/sys/class/kfd/kfd/topology/nodes/1").exists() else "")

    def runs_cuda(self) -> bool:
        return self.gpu == "nvidia" and self.driver >= CUDA_DRIVER and not self.too_old()

    def too_old(self) -> bool:
        """Whether CUDA 13 does not know the GPU any more, whatever the driver."""
        return self.capability is not None and self.capability < CUDA_CAPABILITY


@cache
def nvidia() -> tuple[int, tuple[int, int] | None] | None:
    """The driver's main version and the best GPU's capability, None where there is no NVIDIA driver."""
    if program := shutil.which("nvidia-smi"):
        command = [program, "--query-gpu=driver_version,compute_cap", "--format=csv,noheader"]
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        try:
            said = subprocess.run(  # noqa: S603  NVIDIA's program, none of a person's words
                command, capture_output=True, text=True, timeout=30, check=False, creationflags=hidden
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            said = ""
        if found := read_gpus(said):
            return found
    try:
        # Where the program is hidden from us, as it is from a Blender in a Snap or Flatpak.
        words = Path("/proc/driver/nvidia/version").read_text("utf-8", errors="replace")
    except OSError:
        return (0, None) if program else None
    return read_module(words), None


def read_module(words: str) -> int:
    """The driver's main version from what its kernel module says of itself, 0 where that is something else."""
    found = re.search(r"Kernel Module.*?\s(\d+)\.\d", words)
    return int(found[1]) if found else 0


def read_gpus(said: str) -> tuple[int, tuple[int, int]] | None:
    """The same from what nvidia-smi says: a line "591.86, 8.9" for each GPU. None where it says something else."""
    gpus = re.findall(r"^(\d+)\.[\d.]+, (\d+)\.(\d+)\s*$", said, re.MULTILINE)
    return (int(gpus[0][0]), max((int(major), int(minor)) for _, major, minor in gpus)) if gpus else None
