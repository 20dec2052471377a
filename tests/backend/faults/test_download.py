# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching a published model over a network that fails: a real hub client against a hub of our own."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hub import hub
from random_model import save_random_model

from backend.download import PIECE
from backend.model_folder import load_model
from backend.models import CARD, WEIGHTS, list_models, seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hub import Hub

ROOT = Path(__file__).resolve().parents[3]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "somebody/a-model"


@pytest.fixture
def published(tmp_path: Path, library_file: Path) -> Path:
    folder = tmp_path / "published"
    save_random_model(folder)
    shutil.copy(library_file, folder / "library.sqlite")
    return folder


@pytest.fixture
def server(published: Path) -> Iterator[Hub]:
    with hub(published, COMMIT) as running:
        yield running


def fetch(server: Hub, models: Path, sha256: str, commit: str = COMMIT, **env: str) -> subprocess.CompletedProcess[str]:
    """The command as an animator gives it. Retries of the client's own are left out: they only take time here."""
    words = [sys.executable, "-m", "backend", "model", "download", NAME, "--commit", commit, "--sha256", sha256]
    return subprocess.run(
        [*words, "--into", str(models)],
        cwd=ROOT,
        env=os.environ | {"HF_ENDPOINT": server.address, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": "hf_secret"} | env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.fault("network cut in a download")
def test_a_download_that_is_cut_off_goes_on_when_repeated(
    server: Hub, published: Path, tmp_path: Path, often: Callable[[int, int], int], record_property: Callable
) -> None:
    sha256 = seal(published)
    total = sum(path.stat().st_size for path in published.iterdir())
    models = tmp_path / "models"
    cuts = often(3, 10)
    dice = random.Random(1)
    server.next_cut = lambda: dice.randrange(total // 4)
    for _ in range(cuts):
        told = fetch(server, models, sha256)
        if told.returncode == 0:
            break
        assert "try again" in told.stderr.lower()
        assert "hf_secret" not in told.stdout + told.stderr
        assert list_models([models])[1:] == []
    else:
        server.next_cut = lambda: None
        told = fetch(server, models, sha256)
    assert told.returncode == 0, told.stderr
    folder = models / "random"
    assert load_model(folder).card.name == "random"
    for file in (CARD, WEIGHTS, "library.sqlite"):
        assert (folder / file).read_bytes() == (published / file).read_bytes()
    assert server.sent < total + server.answers * PIECE
    record_property("figure", f"{cuts} cuts, {server.sent / total:.2f} times the bytes of the model were sent")


@pytest.mark.fault("altered files in a download")
@pytest.mark.parametrize("file", [CARD, WEIGHTS, "library.sqlite"])
def test_a_file_that_was_not_published_is_refused(server: Hub, published: Path, tmp_path: Path, file: str) -> None:
    sha256 = seal(published)
    server.altered = file
    told = fetch(server, tmp_path / "models", sha256)
    assert told.returncode == 1
    assert f"{file} " in told.stderr
    assert "not the file that was published" in told.stderr
    assert list_models([tmp_path / "models"])[1:] == []
    server.altered = ""
    assert fetch(server, tmp_path / "models", sha256).returncode == 0


def test_what_is_not_there_or_may_not_be_asked_for_is_told(server: Hub, published: Path, tmp_path: Path) -> None:
    sha256 = seal(published)
    told = fetch(server, tmp_path / "models", sha256, commit="f" * 40)
    assert told.returncode == 1
    assert "Check repository and commit" in told.stderr
    sent = server.sent
    told = fetch(server, tmp_path / "models", sha256, HF_HUB_OFFLINE="1")
    assert told.returncode == 1
    assert "Online Access" in told.stderr
    assert server.sent == sent
