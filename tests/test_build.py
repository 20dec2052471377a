# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py: the menu, the environments it makes, the zip it builds."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import build
from backend.__main__ import COMMANDS
from tools import extension, lock
from tools.console import BuildError
from tools.environments import Environment, ensure

ROOT = Path(__file__).resolve().parent.parent


def test_the_menu_names_every_command_and_every_command_runs_somewhere() -> None:
    printed = subprocess.run(
        [sys.executable, "build.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for commands in build.MENU.values():
        for name, (module, text) in commands.items():
            assert f"{name:<10} {text}" in printed.stdout
            assert callable(importlib.import_module(module).run)


def test_commands_of_the_backend_are_known_to_the_backend() -> None:
    ours = {name for commands in build.MENU.values() for name, (module, _) in commands.items() if "backend" in module}
    assert ours <= set(COMMANDS)


def test_an_unknown_command_is_refused_with_the_list_of_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["dmeo"]) == 1
    error = capsys.readouterr().err
    assert "dmeo" in error
    assert "demo" in error


def test_an_old_python_can_read_build_py_far_enough_to_refuse() -> None:
    ast.parse((ROOT / "build.py").read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("environments") / "small"
    return Environment(folder=folder, purpose="a test", installs=(), imports="json")


def test_an_environment_is_made_once(small: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    assert subprocess.run([ensure(small), "-c", "import json"], check=False).returncode == 0
    assert "Setting up" in capsys.readouterr().err
    ensure(small)
    assert capsys.readouterr().err == ""


def test_an_interrupted_set_up_is_taken_up_again(small: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    ensure(small)
    small.mark.unlink()
    capsys.readouterr()
    ensure(small)
    assert "Setting up" in capsys.readouterr().err
    assert small.mark.read_text() == small.fingerprint()


def test_an_environment_that_cannot_import_is_not_called_ready(small: Environment) -> None:
    broken = dataclasses.replace(small, imports="no_such_module")
    small.mark.unlink(missing_ok=True)
    with pytest.raises(BuildError, match="no_such_module"):
        ensure(broken)
    assert not broken.mark.exists()


def test_a_missing_system_library_is_told_with_the_packages_that_bring_it(small: Environment) -> None:
    broken = dataclasses.replace(small, imports="ctypes; ctypes.CDLL('libnowhere.so.9')")
    small.mark.unlink(missing_ok=True)
    with pytest.raises(BuildError, match=r"libnowhere\.so\.9") as caught:
        ensure(broken)
    assert "apt-get install" in caught.value.remedy
    assert "libxkbcommon0" in caught.value.remedy


def test_a_failed_install_shows_why(small: Environment) -> None:
    with pytest.raises(BuildError, match="Invalid requirement"):
        ensure(dataclasses.replace(small, installs=(("not a requirement",),)))


def test_the_zip_is_reproducible_and_holds_the_add_on_and_its_backend() -> None:
    archive = extension.build()
    first = archive.read_bytes()
    assert extension.build().read_bytes() == first
    names = set(zipfile.ZipFile(archive).namelist())
    assert {"__init__.py", "blender_manifest.toml", "LICENSE", "backend/protocol.py", "backend/motion/clip.py"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith(("backend/training", "tests"))]


def test_a_list_names_pytorchs_own_build_by_known_hashes() -> None:
    before = "sympy==1.14.0 \\\n    --hash=sha256:11\n"
    after = "tqdm==4.70.1 \\\n    --hash=sha256:22\n"
    wanted = "torch=={} ; sys_platform == 'win32' \\\n    --hash=sha256:33 \\\n    --hash=sha256:44\n"
    known = tomllib.loads(lock.WHEELS.read_text("utf-8"))
    made = lock.with_build(before + wanted.format(known["version"]) + after, "cu130")
    assert made.startswith(f"{before}torch=={known['version']}+cu130 ; sys_platform == 'win32' \\\n")
    assert made.endswith(after)
    assert sorted(re.findall("sha256:([0-9a-f]{64})", made)) == sorted(known["cu130"].values())
    with pytest.raises(BuildError, match="another version"):
        lock.with_build(before + wanted.format("9.0.0") + after, "cu130")


def test_the_lists_have_the_known_hashes_and_the_version_of_the_project() -> None:
    known = tomllib.loads(lock.WHEELS.read_text("utf-8"))
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert f"torch=={known['version']}" in needs
    for name, kind in (("cpu", "cpu"), ("cuda", "cu130")):
        listed = (lock.LOCKS / f"{name}.txt").read_text("utf-8")
        assert lock.with_build(listed, kind) == listed
