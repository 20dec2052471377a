# SPDX-License-Identifier: GPL-3.0-or-later
"""For scripts that run inside Blender: install the zip as a user does, choose the backend, leave without hanging."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, Any, Final, NoReturn

import bpy

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY: Final = "user_default"
MODULE: Final = f"bl_ext.{REPOSITORY}.remodiffuse"


def install(archive: str) -> None:
    """What Install from Disk does: unpack into the user's extensions and enable."""
    bpy.ops.extensions.package_install_files(filepath=archive, repo=REPOSITORY, enable_on_install=True)
    if MODULE not in bpy.context.preferences.addons:
        raise RuntimeError(f"{archive} was installed but could not be enabled.")


def preferences() -> Any:  # noqa: ANN401  a class that only the installed add-on knows
    return bpy.context.preferences.addons[MODULE].preferences


def run(main: Callable[[], None]) -> NoReturn:
    """Run a script's main function and end the process at once, also after an error.

    Blender as a module can hang while the interpreter shuts down.
    """
    code = 0
    try:
        main()
    except BaseException:
        traceback.print_exc()
        code = 1
    if MODULE in bpy.context.preferences.addons:
        bpy.ops.preferences.addon_disable(module=MODULE)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
