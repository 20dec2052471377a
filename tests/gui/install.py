# SPDX-License-Identifier: GPL-3.0-or-later

"""In Blender, without its window: the zip installs, goes and comes back, and leaves nothing behind when it is gone."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import bpy

sys.path.append(str(Path(__file__).resolve().parents[2]))
from tools import inside_blender


def ours() -> set[str]:
    operators = {f"operator {name}" for name in dir(getattr(bpy.ops, "remodiffuse"))}  # noqa: B009  unknown to the stubs
    return operators | {f"type {name}" for name in dir(bpy.types) if name.startswith("REMODIFFUSE_")}


def check_chinese() -> None:
    """Refusals and sentences follow the language of the interface; Blender as a module has no languages to try."""
    view: Any = bpy.context.preferences.view
    words = importlib.import_module(f"{inside_blender.MODULE}.translations").words
    operators: Any = bpy.ops
    view.language = "zh_HANS"
    view.use_translate_interface = True
    assert words("Hero has no active action.") == "Hero 没有活动动作。"
    try:
        operators.remodiffuse.accept_take()
    except RuntimeError as refusal:
        assert "没有版本" in str(refusal), refusal
    view.language = "en_US"
    assert words("Hero has no active action.") == "Hero has no active action."


inside_blender.install(sys.argv[sys.argv.index("--") + 1])
before = ours()
assert before
bpy.ops.preferences.addon_disable(module=inside_blender.MODULE)
assert not ours()
bpy.ops.preferences.addon_enable(module=inside_blender.MODULE)
assert ours() == before
check_chinese()
bpy.ops.preferences.addon_disable(module=inside_blender.MODULE)
sys.stdout.write(f"Blender {bpy.app.version_string}: installed, disabled, enabled again ({len(before)} names).\n")
