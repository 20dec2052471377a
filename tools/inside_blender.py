# SPDX-License-Identifier: GPL-3.0-or-later
"""For scripts that run inside Blender: install the zip as a user does, choose the backend, leave without hanging."""

from __future__ import annotations

import os
import sys
from typing import Any, Final, NoReturn

import bpy

REPOSITORY: Final = "user_default"
MODULE: Final = f"bl_ext.{REPOSITORY}.remodiffuse"


def install(archive: str) -> None:
    """What Install from Disk does: unpack into the user's extensions and enable."""
    bpy.ops.extensions.package_install_files(filepath=archive, repo=REPOSITORY, enable_on_install=True)
    if MODULE not in bpy.context.preferences.addons:
        raise RuntimeError(f"{archive} was installed but could not be enabled.")


def preferences() -> Any:  # noqa: ANN401  a class that only the installed add-on knows
    return bpy.context.preferences.addons[MODULE].preferences


def leave(code: int = 0) -> NoReturn:
    """End at once: Blender as a module can hang while the interpreter shuts down."""
    if MODULE in bpy.context.preferences.addons:
        bpy.ops.preferences.addon_disable(module=MODULE)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
