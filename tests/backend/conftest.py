# SPDX-License-Identifier: GPL-3.0-or-later
"""Small real things for the backend's tests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from gaits import CAPTIONS, gait_clip
from random_model import CONFIG, save_random_model
from small_disk import Disk, small_disk

from backend.library import Library
from backend.model import DiffusionConfig
from backend.model_folder import LIBRARY
from backend.text import CachedEncoder, TextEncoder
from backend.text.minilm import MiniLM
from remodiffuse_blender.client.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def encoder() -> TextEncoder:
    return CachedEncoder(MiniLM.load())


@pytest.fixture
def library_file(tmp_path: Path, encoder: TextEncoder) -> Path:
    """An indexed library "gaits" with one clip for each of CAPTIONS, 60 to 100 frames long."""
    path = tmp_path / "gaits.sqlite"
    with Library.create(path) as library:
        for number, caption in enumerate(CAPTIONS):
            library.add(gait_clip(caption, 60 + 10 * number))
        library.index(encoder)
    return path


@pytest.fixture(scope="session")
def wide_model(tmp_path_factory: pytest.TempPathFactory, encoder: TextEncoder) -> Path:
    """A model as wide as the official one, in two steps: 16 takes take some 140 MB more than one."""
    folder = tmp_path_factory.mktemp("model") / "wide"
    config = replace(CONFIG, width=512, feedforward_width=1024, diffusion=DiffusionConfig(sections=(1, 1)))
    save_random_model(folder, start_timestep=0, config=config)
    with Library.create(folder / LIBRARY) as library:
        for caption in CAPTIONS:
            library.add(gait_clip(caption, 80))
        library.index(encoder)
    return folder


@pytest.fixture
def client() -> Iterator[Client]:
    """What the add-on speaks to a backend with; the backend ends with the test."""
    made = Client()
    yield made
    made.stop(wait_seconds=5)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk") as made:
        yield made


@pytest.fixture(params=["full", "read-only"])
def obstacle(request: pytest.FixtureRequest, disk: Disk) -> tuple[Callable[[], None], Callable[[], None]]:
    """How the disk becomes unusable, and usable again."""
    return (disk.fill, disk.free) if request.param == "full" else (disk.protect, disk.unprotect)
