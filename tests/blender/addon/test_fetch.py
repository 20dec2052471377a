# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch a Model, from inside Blender, over a network that is cut off: a real hub client against a hub of our own."""

from __future__ import annotations

import importlib
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from scenes import Rna, context, ops, refusal, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.fault("network cut in a download")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "somebody/visitor"


@pytest.fixture
def published(addon: str, tmp_path: Path) -> tuple[Path, str]:
    """The folder of a model called "visitor", and what to fetch it by."""
    models = importlib.import_module(f"{addon}.backend.models")
    folder = tmp_path / "published"
    shutil.copytree(models.STARTER, folder)
    card = folder / models.CARD
    card.write_text(card.read_text("utf-8").replace('name = "starter"', 'name = "visitor"'), "utf-8")
    return folder, models.seal(folder)


@pytest.fixture
def server(published: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Rna]:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "backend")
    with importlib.import_module("hub").hub(published[0], COMMIT) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        yield running


@pytest.fixture
def models(addon: str, preferences: Rna) -> Iterator[Rna]:
    """The module `models`, in a Blender that may go online and has no models of its own, before and after."""
    module = importlib.import_module(f"{addon}.models")
    system: Rna = context.preferences.system
    system.use_online_access = True
    yield module
    module.end()
    module.models.error = None
    system.use_online_access = False
    shutil.rmtree(module.folder(), ignore_errors=True)
    module.refresh()


def fetch(sha256: str) -> None:
    assert ops.remodiffuse.fetch_model(repository=REPOSITORY, commit=COMMIT, sha256=sha256) == {"FINISHED"}


def finish(models: Rna) -> Rna:
    """The error that the download ended with, if any."""
    deadline = time.monotonic() + 60
    while models.models.errand:
        assert time.monotonic() < deadline
        models.update()
        time.sleep(0.01)
    return models.models.error


def names(models: Rna) -> list[str]:
    """Of this machine's models. A backend that runs already is asked by the timer, which runs in windows only."""
    return [model["name"] for model in models.models.local]


def test_a_cut_download_says_what_to_do_and_goes_on(models: Rna, server: Rna, published: tuple[Path, str]) -> None:
    folder, sha256 = published
    total = sum(file.stat().st_size for file in folder.iterdir())
    before = whole()
    left = iter([None, total // 4])  # the card, a part of the next file, then nothing any more
    server.next_cut = lambda: next(left, 0)
    fetch(sha256)
    error = finish(models)
    assert "try again" in error.remedy
    assert "visitor" not in names(models)

    server.next_cut = lambda: None
    already = server.sent
    fetch(sha256)
    assert finish(models) is None
    assert "visitor" in names(models)
    assert server.sent - already < total - total // 5  # it went on where it had stopped
    assert whole() == before


def test_one_download_at_a_time_and_it_can_be_cancelled(models: Rna, server: Rna, published: tuple[Path, str]) -> None:
    before = whole()
    server.next_cut = lambda: 1 << 16  # the client tries again by itself: it takes long
    fetch(published[1])
    assert "being fetched" in refusal(ops.remodiffuse.fetch_model)
    ops.remodiffuse.cancel_fetch()
    finish(models)
    assert "visitor" not in names(models)
    server.next_cut = lambda: None
    fetch(published[1])
    assert finish(models) is None
    assert "visitor" in names(models)
    assert whole() == before
