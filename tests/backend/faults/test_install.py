# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing: interrupted at any moment and repeated it ends ready; broken, foreign or refused it says what to do.

The locked list is a small one, with two packages. What is interrupted is in full the real one for the processor, from
the folder of wheels that REMODIFFUSE_WHEELS names; `build.py test --faults` makes it.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Final

import pytest

from backend.errors import BackendError
from backend.install import builds
from backend.install.builds import BUILDS, LOCKS, Build, choose_build, note
from backend.install.machine import Machine, nvidia, read_gpus, read_module
from backend.install.place import MARK, Place, any_length
from backend.install.steps import Installer

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
WHEELS = os.environ.get("REMODIFFUSE_WHEELS", "")
SMALL = ("safetensors==", "typing-extensions==")
TEST = 'import json, safetensors; print(json.dumps({"device": "cpu", "memory": 0, "packages": {}}))'
SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
from backend.install import steps
from backend.install.builds import BUILDS
from backend.install.place import Place
folder, wheels, lock = sys.argv[1:4]
build = BUILDS["cpu"]
test = steps.TEST
if lock:
    build = type("Small", (type(build),), {"lock": Path(lock), "__slots__": ()})(
        "cpu", "a small list", "", 0, 10_000_000, build.pythons)
    test = sys.argv[4]
print(steps.Installer(Place(Path(folder)), build, online=False, wheels=Path(wheels), test=test).install().build)
"""


@pytest.fixture(scope="session")
def small_lock(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two entries of the real list, hashes and all."""
    text = (LOCKS / "cpu.txt").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.startswith(SMALL)]
    assert len(lines) == len(SMALL)
    path = tmp_path_factory.mktemp("lock") / "small.txt"
    path.write_text("\n".join(lines))
    return str(path)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory, small_lock: str) -> Path:
    """What `pip download` leaves of the small list: the folder for machines without network, see docs/install.md."""
    folder = tmp_path_factory.mktemp("wheels")
    for lock in (LOCKS / "uv.txt", Path(small_lock)):
        words = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--progress-bar", "off", "-q"]
        command = [sys.executable, "-m", "pip", "download", *words, "-d", str(folder), "-r", str(lock)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"pip cannot fetch the wheels here: {done.stderr.strip().splitlines()[-1]}")
    return folder


@pytest.fixture
def source(request: pytest.FixtureRequest, often: Callable[[int, int], int]) -> tuple[Path, str]:
    """A folder of wheels and the list that is installed from it; empty for the real one."""
    if often(0, 1) and not WHEELS:
        pytest.skip("name a folder with the wheels of the real list in REMODIFFUSE_WHEELS")
    if often(0, 1):
        return Path(WHEELS), ""
    return request.getfixturevalue("wheels"), request.getfixturevalue("small_lock")


def start(folder: Path, wheels: Path, lock: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", SCRIPT, str(folder), str(wheels), lock, TEST]
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    )


def finish(folder: Path, wheels: Path, lock: str) -> float:
    """Installs without interruption and returns the seconds it took."""
    started = time.monotonic()
    with start(folder, wheels, lock) as process:
        out, log = process.communicate(timeout=300)
    assert process.returncode == 0, log
    assert out.strip() == "cpu"
    assert Place(folder).ready()
    return time.monotonic() - started


@pytest.mark.fault("install interrupted")
@pytest.mark.parametrize("whom", ["with all it started", "alone"])
def test_interrupted_at_random_moments_and_repeated_it_ends_ready(
    tmp_path: Path,
    source: tuple[Path, str],
    whom: str,
    often: Callable[[int, int], int],
    record_property: Callable,
) -> None:
    usual = finish(tmp_path / "unbroken", *source)
    Place(tmp_path / "unbroken").remove()
    dice, kills = random.Random(3), 0
    wanted = often(3, 10)
    place = Place(tmp_path / "broken")
    while kills < wanted:
        with start(place.folder, *source) as process:
            time.sleep(dice.uniform(0.0, usual))
            if process.poll() is not None:  # it was faster this time: begin anew
                place.remove()
                continue
            kills += 1
            if whom == "alone":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
    finish(place.folder, *source)
    assert subprocess.run([place.python, "-c", "import safetensors"], check=False).returncode == 0
    record_property("figure", f"{kills} kills ({whom}), then ready; unbroken it takes {usual:.0f} s")


@pytest.fixture
def installed(tmp_path: Path, wheels: Path, small_lock: str) -> Place:
    place = Place(tmp_path / "backend")
    finish(place.folder, wheels, small_lock)
    return place


@pytest.mark.fault("broken environment")
def test_a_broken_environment_is_noticed_and_repaired(installed: Place, wheels: Path, small_lock: str) -> None:
    assert installed.ready()
    shutil.rmtree(installed.environment / "bin")
    assert installed.ready() is None
    finish(installed.folder, wheels, small_lock)


def test_installing_again_does_nothing_and_uninstalling_removes_all(
    installed: Place, wheels: Path, small_lock: str
) -> None:
    before = (installed.sentinel.stat().st_mtime_ns, installed.python.stat().st_mtime_ns)
    finish(installed.folder, wheels, small_lock)
    assert before == (installed.sentinel.stat().st_mtime_ns, installed.python.stat().st_mtime_ns)
    assert not installed.cache.exists()
    installed.remove()
    assert not installed.folder.exists()
    installed.remove()


def test_nobody_elses_folder_is_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    place = Place(tmp_path)
    for work in (place.make, place.remove, place.clear):
        with pytest.raises(BackendError) as caught:
            work()
        assert caught.value.code == "folder_in_use"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.txt"]


@pytest.mark.fault("two Blenders install at once")
def test_the_second_installation_is_told(installed: Place, tmp_path: Path, wheels: Path) -> None:
    with installed.held(), pytest.raises(BackendError) as caught:
        Installer(installed, BUILDS["cpu"], online=False, wheels=wheels).install()
    assert caught.value.code == "installing"


@pytest.mark.fault("wheel altered")
def test_a_wheel_that_is_not_the_one_of_the_list_is_refused(tmp_path: Path, wheels: Path, small_lock: str) -> None:
    copy = tmp_path / "wheels"
    shutil.copytree(wheels, copy)
    victim = next(copy.glob("safetensors-*.whl"))
    victim.write_bytes(victim.read_bytes()[:-50] + b"x" * 50)
    with start(tmp_path / "backend", copy, small_lock) as process:
        _, log = process.communicate(timeout=120)
    assert process.returncode
    assert "could not be installed" in log
    assert Place(tmp_path / "backend").ready() is None
    finish(tmp_path / "backend", wheels, small_lock)


def test_without_network_and_wheels_it_says_what_to_allow(tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        Installer(Place(tmp_path / "new"), BUILDS["cpu"], online=False).install()
    assert caught.value.code == "offline"
    assert "Allow Online Access" in caught.value.remedy
    assert not (tmp_path / "new").exists()


NEW: Final = (591, (8, 9))
"""A driver and a GPU that run CUDA 13."""


@pytest.mark.fault("GPU or its driver too old")
@pytest.mark.parametrize(
    ("machine", "build", "noted"),
    [
        (Machine("Linux", "x86_64", (3, 11), ""), "cpu", ""),
        (Machine("Linux", "x86_64", (3, 13), ""), "cpu", ""),
        (Machine("Linux", "x86_64", (3, 11), "amd"), "cpu", "ROCm"),
        (Machine("Linux", "x86_64", (3, 11), "nvidia", *NEW), "standard", ""),
        (Machine("Linux", "x86_64", (3, 11), "nvidia", 580), "standard", ""),
        (Machine("Linux", "x86_64", (3, 11), "nvidia", 570, (8, 9)), "cpu", "driver is version 570"),
        (Machine("Linux", "x86_64", (3, 11), "nvidia", 0), "cpu", "driver does not answer"),
        (Machine("Linux", "x86_64", (3, 11), "nvidia", 580, (6, 1)), "cpu", "older than Turing"),
        (Machine("Linux", "aarch64", (3, 11), ""), "standard", ""),
        (Machine("Darwin", "arm64", (3, 11), "apple"), "standard", ""),
        (Machine("Windows", "AMD64", (3, 13), ""), "standard", ""),
        (Machine("Windows", "AMD64", (3, 13), "nvidia", *NEW), "cuda", ""),
        (Machine("Windows", "AMD64", (3, 11), "nvidia", 566, (12, 0)), "standard", "driver is version 566"),
        (Machine("Windows", "AMD64", (3, 11), "nvidia", 580, (5, 2)), "standard", "older than Turing"),
        (Machine("Windows", "ARM64", (3, 13), ""), "standard", ""),
    ],
)
def test_the_build_suits_the_machine(machine: Machine, build: str, noted: str) -> None:
    assert choose_build("auto", machine).name == build
    said = note(machine, BUILDS[build])
    assert noted in said
    assert bool(noted) == bool(said)


def test_a_processor_asked_for_is_what_one_gets() -> None:
    for system, processor, build in [("Linux", "x86_64", "cpu"), ("Windows", "AMD64", "standard")]:
        machine = Machine(system, processor, (3, 13), "nvidia", *NEW)
        assert choose_build("processor", machine).name == build
        assert "for the processor" in note(machine, BUILDS[build])


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("591.86, 8.9\n", (591, (8, 9))),
        ("580.65.06, 6.1\r\n580.65.06, 12.0\r\n", (580, (12, 0))),
        ('Field "compute_cap" is not a valid field to query.\n', None),
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", None),
        ("", None),
    ],
)
def test_what_the_driver_says_is_read(said: str, read: tuple[int, tuple[int, int]] | None) -> None:
    assert read_gpus(said) == read


@pytest.mark.parametrize(
    ("words", "driver"),
    [
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\nGCC version:", 535),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.82.07  Release Build\nGCC version: 14.2", 580),
        ("NVRM version: something new\nGCC version: gcc version 14.2.0", 0),
    ],
)
def test_what_the_kernel_module_says_is_read(words: str, driver: int) -> None:
    assert read_module(words) == driver


@pytest.mark.parametrize(("script", "found"), [("echo 591.86, 8.9", (591, (8, 9))), ("exit 9", (0, None))])
@pytest.mark.skipif(os.name == "nt", reason="a shell script stands for the driver's program")
def test_the_driver_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: tuple[int, tuple[int, int] | None]
) -> None:
    if Path("/proc/driver/nvidia/version").exists():
        pytest.skip("this machine has a driver of its own")
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nvidia.__wrapped__() == found
    (tmp_path / "nvidia-smi").unlink()
    assert nvidia.__wrapped__() is None


def test_a_python_without_a_build_is_told(tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        choose_build("auto", Machine("Linux", "x86_64", (3, 9), ""))
    assert caught.value.code == "python_unsupported"


SYSTEMS: Final = {
    "standard": ("x86_64-manylinux_2_28", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"),
    "cpu": ("x86_64-manylinux_2_28",),
    "cuda": ("x86_64-pc-windows-msvc",),
}


@pytest.mark.parametrize(("build", "system"), [(build, each) for build, all_ in SYSTEMS.items() for each in all_])
def test_every_list_has_a_file_for_every_system_and_python(tmp_path: Path, build: str, system: str) -> None:
    """All but PyTorch's own builds, which are not in the common index: those are counted."""
    listed = BUILDS[build].lock.read_text("utf-8")
    own = re.search(r"^torch==[^\n]*\+\w+[^\n]*\n((?:    --hash=\S+(?: \\)?\n)+)", listed, re.MULTILINE)
    assert bool(own) == bool(BUILDS[build].backend)
    if own:
        assert own[1].count("--hash=sha256:") == len(BUILDS[build].pythons)
    rest = tmp_path / "list.txt"
    rest.write_text(listed.replace(own[0], "") if own else listed)
    words = ["--no-deps", "--require-hashes", "--no-build", "--no-config", "--dry-run", "--target", tmp_path / "target"]
    for major, minor in BUILDS[build].pythons:
        done = subprocess.run(
            [sys.executable, "-m", "uv", "pip", "install", *words, "--python-version", f"{major}.{minor}",
             "--python-platform", system, "-r", rest],
            capture_output=True, text=True, check=False, env=os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"},
        )  # fmt: skip
        if "dns error" in done.stderr or "offline" in done.stderr:
            pytest.skip("the common index cannot be reached")
        assert done.returncode == 0, done.stderr
        assert "Would install" in done.stderr


def test_every_package_of_the_lists_has_hashes_and_none_names_a_place() -> None:
    for build in builds.BUILDS.values():
        entries = build.lock.read_text("utf-8").replace("\\\n", " ").splitlines()
        packages = [line for line in entries if line and not line.startswith("#")]
        assert len(packages) > 20
        assert all("==" in line and "--hash=sha256:" in line and "//" not in line for line in packages)
    assert isinstance(replace(BUILDS["cpu"], name="cpu"), Build)
    assert MARK.startswith(".")


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        ("C:/Users/ada/environment", r"\\?\C:\Users\ada\environment"),
        (r"\\studio\home\ada", r"\\?\UNC\studio\home\ada"),
        (r"\\?\C:\environment", r"\\?\C:\environment"),
    ],
)
def test_windows_removes_paths_of_any_length(path: str, whole: str) -> None:
    assert any_length(PureWindowsPath(path)) == whole
