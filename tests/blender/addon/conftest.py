# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed add-on with a working backend, and a request that can be met."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import pytest
from libraries import state
from scenes import Rna, context

if TYPE_CHECKING:
    from collections.abc import Iterator

PROMPT = "a person walks forward"


@pytest.fixture
def takes(addon: str) -> Rna:
    """The module `takes` of the installed zip."""
    return importlib.import_module(f"{addon}.takes")


@pytest.fixture
def preferences(addon: str, backend_python: str, takes: Rna) -> Iterator[Rna]:
    """The add-on's preferences with a working backend. A process that still works serves the next test too."""
    chosen: Rna = context.preferences.addons[addon].preferences
    chosen.python = backend_python
    yield chosen
    takes.cancel()
    while takes.session.job:
        takes.update()
    takes.session.error = None
    # Disabling the add-on frees its preferences: the ones from before would be read from freed memory.
    context.preferences.addons[addon].preferences.python = ""


@pytest.fixture
def settings(preferences: Rna, armature: Rna) -> Rna:
    """A request that can be met, on a humanoid."""
    made: Rna = context.scene.remodiffuse
    made.prompt, made.seconds, made.seed, made.count = PROMPT, 2.0, 3, 1
    return made


@pytest.fixture
def libraries(addon: str) -> Path:
    """The folder of the animator's own libraries; it need not exist."""
    return Path(bpy.utils.extension_path_user(addon, path="libraries"))


@pytest.fixture
def desk(addon: str, settings: Rna, libraries: Path) -> Iterator[Rna]:
    """The add-on's library with nothing of one's own in it, before and after."""
    module = importlib.import_module(f"{addon}.library")
    takes = importlib.import_module(f"{addon}.takes")
    takes.stop(wait_seconds=5.0)
    yield module.desk
    takes.stop(wait_seconds=5.0)
    module.end()
    module.desk.answered, module.desk.libraries = None, ()
    state().found.clear()
    for file in libraries.glob("*"):
        file.unlink()


@pytest.fixture
def armature(addon: str) -> Rna:
    """The plain skeleton, active."""
    return importlib.import_module(f"{addon}.rig.armature").build_skeleton("Hero")
