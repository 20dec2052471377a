# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed add-on with a working backend, and a request that can be met."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest
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
    chosen.python = ""


@pytest.fixture
def settings(preferences: Rna, armature: Rna) -> Rna:
    """A request that can be met, on a humanoid."""
    made: Rna = context.scene.remodiffuse
    made.prompt, made.seconds, made.seed, made.count = PROMPT, 2.0, 3, 1
    return made


@pytest.fixture
def armature(addon: str) -> Rna:
    """The plain skeleton, active."""
    return importlib.import_module(f"{addon}.rig.armature").build_skeleton("Hero")
