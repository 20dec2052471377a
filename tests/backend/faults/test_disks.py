# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk is full or cannot be written, a writer is killed, two write at once: nothing lost but the work in flight."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from gaits import gait_clip
from official_files import checkpoint, database, random_official, write_statistics
from random_model import CONFIG, random_network, save_random_model
from writer import Writer

from backend.errors import BackendError
from backend.install.builds import BUILDS
from backend.install.place import Place
from backend.install.steps import Installer
from backend.library import Library
from backend.library.official import import_official as import_database
from backend.model_card import ModelCard
from backend.model_folder import load_model, save_model
from backend.motion.features import FeatureLayout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from small_disk import Disk

    from backend.text import TextEncoder

WALK = "a person walks forward"


def refused(work: Callable[[], object]) -> BackendError:
    with pytest.raises(BackendError) as caught:
        work()
    assert caught.value.message
    assert caught.value.remedy
    return caught.value


@pytest.mark.fault("disk full or read-only: library")
def test_a_library(disk: Disk, obstacle: tuple, encoder: TextEncoder) -> None:
    path = disk.folder / "mine.sqlite"
    with Library.create(path) as library:
        library.add(gait_clip(WALK, 60))
    block, unblock = obstacle
    block()

    def add() -> None:
        with Library.open(path, write=True) as library:
            for frames in range(61, 190):
                library.add(gait_clip(WALK, frames))

    refused(add)
    unblock()
    with Library.open(path, write=True) as library:
        assert 1 in library.clips()
        for number in library.clips():
            library.clip(number)
        library.add(gait_clip("a person runs forward", 70))
        library.index(encoder)


@pytest.mark.fault("disk full or read-only: checkpoint")
def test_a_model(disk: Disk, obstacle: tuple) -> None:
    folder = disk.folder / "model"
    save_random_model(folder)
    before = {name: weights.clone() for name, weights in load_model(folder).network.state_dict().items()}
    block, unblock = obstacle
    block()
    card = ModelCard.from_toml((folder / "card.toml").read_text("utf-8"))
    features = torch.zeros(CONFIG.features), torch.ones(CONFIG.features)
    refused(lambda: save_model(folder, card, random_network(CONFIG).state_dict(), *features))
    after = load_model(folder).network.state_dict()
    assert all(torch.equal(before[name], weights) for name, weights in after.items())
    unblock()
    save_model(folder, card, random_network(CONFIG).state_dict(), *features)
    load_model(folder)


@pytest.mark.fault("disk full or read-only: installing")
def test_an_installation(disk: Disk, obstacle: tuple, tmp_path: Path) -> None:
    place = Place(disk.folder / "backend")
    # It claims to need nothing, so that it is met by the disk and not by the check before.
    build = replace(BUILDS["cpu"], installed=-10_000_000_000)
    block, _ = obstacle
    block()
    refused(Installer(place, build, online=False, wheels=tmp_path).install)
    assert place.ready() is None


@pytest.mark.fault("disk full or read-only: installing")
def test_too_little_space_is_told_before_anything_is_fetched(disk: Disk, tmp_path: Path) -> None:
    error = refused(Installer(Place(disk.folder / "backend"), BUILDS["cpu"], online=False, wheels=tmp_path).install)
    assert error.code == "disk_full"
    assert "are free" in error.message


@pytest.mark.fault("disk full or read-only: importing")
def test_an_import(disk: Disk, obstacle: tuple, tmp_path: Path) -> None:
    from backend.commands.model import import_official

    torch.save(checkpoint(random_official(263)), tmp_path / "latest.pth")
    statistics = write_statistics(tmp_path / "stats", 263)
    block, _ = obstacle
    block()
    refused(lambda: import_official(tmp_path / "latest.pth", statistics, disk.folder / "model"))
    assert not (disk.folder / "model" / "card.toml").exists()
    import_official(tmp_path / "latest.pth", statistics, tmp_path / "model")
    load_model(tmp_path / "model")


def official_database(path: Path, entries: int = 96) -> tuple[Path, ModelCard]:
    """A small database and the card of a model that reads it."""
    config = replace(CONFIG, features=263, token_width=512, reference_token_width=512)
    np.savez_compressed(path, **database([60] * entries, ["a person walks"] * entries, 263))
    return path, ModelCard("small", "1", "CC0-1.0", "clip-vit-b-32", config, FeatureLayout())


@pytest.mark.fault("disk full or read-only: importing")
def test_an_official_library(disk: Disk, obstacle: tuple, tmp_path: Path) -> None:
    archive, card = official_database(tmp_path / "database.npz", 8)
    output = disk.folder / "library.sqlite"
    block, unblock = obstacle
    block()
    before = set(disk.folder.iterdir())

    def bring() -> int:
        return import_database(archive, output, card, np.zeros(263), np.full(263, 0.1))

    refused(bring)
    assert set(disk.folder.iterdir()) == before
    unblock()
    assert bring() == 8


@pytest.mark.fault("disk full or read-only: importing")
def test_an_official_library_whose_disk_fills_on_the_way(disk: Disk, tmp_path: Path) -> None:
    archive, card = official_database(tmp_path / "database.npz")
    output = disk.folder / "library.sqlite"
    told: list[int] = []

    def fill(done: int, _total: int) -> None:
        told.append(done)
        disk.fill()

    error = refused(lambda: import_database(archive, output, card, np.zeros(263), np.full(263, 0.1), fill))
    assert error.code == "disk_full"
    assert told
    assert [path.name for path in disk.folder.iterdir()] == ["filler"]
    disk.free()
    assert import_database(archive, output, card, np.zeros(263), np.full(263, 0.1)) == 96


@pytest.mark.fault("library killed in the middle of a write")
def test_a_library_survives_kills(tmp_path: Path, often: Callable[[int, int], int], record_property: Callable) -> None:
    path, count, lost = tmp_path / "mine.sqlite", often(3, 200), 0
    dice = random.Random(5)
    known: set[int] = set()
    for _ in range(count):
        writer = Writer(path)
        time.sleep(dice.uniform(0.0, 0.1))
        acknowledged = writer.kill()
        with Library.open(path) as library:
            there = set(library.clips())
            assert known | acknowledged <= there
            lost += len(there - known - acknowledged)  # written, but killed before it could say so
            for number in sorted(there)[-3:]:
                library.clip(number)
            known = there
    with Library.open(path, write=True) as library:
        for number in library.clips():
            library.clip(number)
        library.add(gait_clip(WALK))
    record_property("figure", f"{count} kills, {len(known)} clips, none that was acknowledged is lost")


@pytest.mark.fault("two Blenders on one library")
def test_two_write_while_a_third_reads(tmp_path: Path) -> None:
    path = tmp_path / "ours.sqlite"
    Library.create(path).close()
    writers = [Writer(path) for _ in range(2)]
    acknowledged: list[set[int]] = [set(), set()]
    try:
        for _ in range(40):
            for writer, numbers in zip(writers, acknowledged, strict=True):
                numbers.add(writer.next())
            with Library.open(path) as library:
                for number in library.clips()[-1:]:
                    library.clip(number)
    finally:
        for writer, numbers in zip(writers, acknowledged, strict=True):
            numbers.update(writer.kill())
    with Library.open(path) as library:
        assert acknowledged[0] | acknowledged[1] <= set(library.clips())
        assert min(map(len, acknowledged)) > 10
