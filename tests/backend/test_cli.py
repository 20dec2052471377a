# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend` as a real process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from random_model import save_random_model

from backend.__main__ import COMMANDS
from backend.motion.bvh import parse_bvh
from backend.motion.skeleton import JOINTS

ROOT = Path(__file__).parents[2]


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backend", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def model_folder(tmp_path: Path, library_file: Path) -> Path:
    save_random_model(tmp_path / "model")
    library_file.rename(tmp_path / "model" / "library.sqlite")
    return tmp_path / "model"


def test_npz_holds_all_takes_and_their_provenance(model_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "take.npz"
    words = ("a person walks forward", "--seconds", 2, "--seed", 5, "--count", 3, "--model", model_folder)
    done = run("generate", *words, "--output", output)
    assert done.returncode == 0, done.stderr
    assert "a person walks forward" in done.stdout
    file = np.load(output)
    shapes = {name: file[name].shape for name in ("positions", "rotations", "root", "contacts")}
    assert shapes == {
        "positions": (3, 40, 22, 3),
        "rotations": (3, 40, 22, 4),
        "root": (3, 40, 3),
        "contacts": (3, 40, 4),
    }
    assert file["fps"] == 20
    provenance = json.loads(str(file["provenance"]))
    assert [take["seed"] for take in provenance] == [5, 6, 7]
    assert provenance[0]["references"][0]["caption"] == "a person walks forward"
    again = tmp_path / "again.npz"
    assert run("generate", *words, "--output", again).returncode == 0
    np.testing.assert_array_equal(np.load(again)["positions"], file["positions"])


def test_bvh_files_hold_the_same_motion(model_folder: Path, tmp_path: Path) -> None:
    words = ("a person runs", "--seconds", 2, "--count", 2, "--model", model_folder)
    assert run("generate", *words, "--output", tmp_path / "take.bvh").returncode == 0
    assert run("generate", *words, "--output", tmp_path / "take.npz").returncode == 0
    assert sorted(path.name for path in tmp_path.glob("take*")) == ["take.npz", "take_1.bvh", "take_2.bvh"]
    for number in (1, 2):
        bvh = parse_bvh((tmp_path / f"take_{number}.bvh").read_text("utf-8"))
        positions, _ = bvh.pose(JOINTS)
        np.testing.assert_allclose(positions, np.load(tmp_path / "take.npz")["positions"][number - 1], atol=1e-4)
        assert bvh.fps == pytest.approx(20)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("", "--output", "t.npz"), "prompt is empty"),
        (("walk", "--seconds", 0, "--output", "t.npz"), "Choose between 0.8 and 9.8 seconds"),
        (("walk", "--seconds", 60, "--output", "t.npz"), "Choose between"),
        (("walk", "--seconds", "nan", "--output", "t.npz"), "Choose between"),
        (("walk", "--count", 0, "--output", "t.npz"), "Choose between 1 and 16"),
        (("walk", "--seed", -1, "--output", "t.npz"), "seed -1"),
        (("walk", "--output", "t.fbx"), "neither .npz nor .bvh"),
        (("walk", "--output", "nowhere/t.npz"), "folder that exists"),
        (("walk", "--output", "t.npz", "--device", "toaster"), "toaster"),
        (("walk", "--output", "t.npz", "--model", "nowhere"), "nowhere"),
        (("walk", "--output", "t.npz", "--library", "nothing.sqlite"), "no library"),
        (("walk", "--output", "t.npz", "--library", "card.toml"), "not a motion library"),
    ],
)
def test_bad_input_names_the_remedy_and_writes_nothing(
    model_folder: Path, words: tuple[object, ...], said: str
) -> None:
    before = sorted(path.name for path in model_folder.iterdir())
    paths = {
        word: model_folder / str(word) for word in words if str(word).endswith((".npz", ".fbx", ".sqlite", ".toml"))
    }
    arguments = [paths.get(word, word) for word in words]
    if "--model" not in arguments:
        arguments += ["--model", model_folder]
    done = run("generate", *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in model_folder.iterdir()) == before


def test_takes_become_a_library_that_is_searched(model_folder: Path, tmp_path: Path) -> None:
    takes, library = tmp_path / "take.npz", tmp_path / "mine.sqlite"
    done = run("generate", "someone waves", "--seconds", 2, "--count", 2, "--model", model_folder, "--output", takes)
    assert done.returncode == 0, done.stderr
    done = run(
        "library", "add", library, takes, "--caption", "someone waves", "--caption", "he greets", "--tag", "wave"
    )
    assert done.returncode == 0, done.stderr
    listed = run("library", "list", library).stdout
    assert "someone waves | he greets  (CC0-1.0)" in listed
    assert "2 clips in mine" in listed
    found = run("library", "search", "a person greets somebody", library, model_folder / "library.sqlite").stdout
    assert found.splitlines()[0].endswith("he greets")
    takes.write_bytes(b"PK not a zip")
    refused = run("library", "add", library, takes)
    assert refused.returncode == 1
    assert "no file of takes" in refused.stderr
    assert run("library", "list", tmp_path / "nothing.sqlite").returncode == 1


def test_help_lists_every_command_and_imports_nothing_large() -> None:
    done = run("--help")
    for command in COMMANDS:
        assert f"  {command} " in done.stdout
    unknown = run("dance")
    assert unknown.returncode == 2
    assert 'no command "dance"' in unknown.stderr
    code = "import sys, backend.__main__; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
