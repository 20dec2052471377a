# SPDX-License-Identifier: GPL-3.0-or-later
"""The built zip, installed in this Blender as a user would install it, and an empty scene for every test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import bpy
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = "user_default"
MODULE = f"bl_ext.{REPOSITORY}.remodiffuse"


def pytest_report_header() -> str:
    return f"Blender {bpy.app.version_string}"


@pytest.fixture(scope="session", autouse=True)
def addon() -> Iterator[str]:
    """The add-on's module name, installed from the zip and enabled for the whole run."""
    archive = os.environ.get("REMODIFFUSE_ZIP")
    if not archive:
        pytest.exit("These tests need the built zip: run them with `python3 build.py test --only 4.5`.", returncode=1)
    bpy.ops.extensions.package_install_files(filepath=archive, repo=REPOSITORY, enable_on_install=True)
    assert MODULE in bpy.context.preferences.addons
    yield MODULE
    bpy.ops.preferences.addon_disable(module=MODULE)


@pytest.fixture(autouse=True)
def empty_scene(addon: str) -> None:
    """Blender's factory scene without its objects; preferences and the add-on stay."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert addon in bpy.context.preferences.addons


@pytest.fixture(scope="session")
def backend_python() -> str:
    """The Python that has the backend's packages."""
    return os.environ["REMODIFFUSE_PYTHON"]
