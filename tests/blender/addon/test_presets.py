# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests in Blender's own preset system: named ones, and the last ones."""

from __future__ import annotations

import importlib

from scenes import Rna, context, generate, ops


def test_a_request_is_kept_under_a_name_and_comes_back(settings: Rna, addon: str) -> None:
    settings.prompt, settings.seconds, settings.balance = 'he says "go"', 3.5, 0.25
    ops.remodiffuse.add_prompt()
    settings.row[0].prompt, settings.row[0].seconds = "a person sits down", 2.0
    ops.remodiffuse.add_preset(name="Go and sit")
    settings.prompt, settings.seconds, settings.balance = "something else", 2.0, 0.0
    settings.row.clear()
    (file,) = _files(addon)
    ops.script.execute_preset(filepath=file, menu_idname="REMODIFFUSE_PT_presets")
    assert (settings.prompt, settings.seconds, settings.balance) == ('he says "go"', 3.5, 0.25)
    assert [(each.prompt, each.seconds) for each in settings.row] == [("a person sits down", 2.0)]
    ops.remodiffuse.add_preset(name="Go and sit", remove_name=True)
    assert _files(addon) == []


def _files(addon: str) -> list[str]:
    import bpy

    presets = importlib.import_module(f"{addon}.presets")
    return [
        f"{folder}/{name}"
        for folder in bpy.utils.preset_paths(presets.FOLDER)
        for name in __import__("os").listdir(folder)
        if name.endswith(".py")
    ]


def test_the_last_prompts_are_remembered_newest_first(settings: Rna, addon: str) -> None:
    presets = importlib.import_module(f"{addon}.presets")
    for file in presets.history():
        file.unlink()
    settings.seconds = 1.0
    for prompt in ("a person waves", "a person's \\ bow", "a person waves"):
        settings.prompt = prompt
        generate()
    files = presets.history()
    assert len(files) == 2
    settings.prompt, settings.seconds = "", 5.0
    ops.script.execute_preset(filepath=str(files[0]), menu_idname="REMODIFFUSE_MT_history")
    assert (context.scene.remodiffuse.prompt, settings.seconds) == ("a person waves", 1.0)
    ops.script.execute_preset(filepath=str(files[1]), menu_idname="REMODIFFUSE_MT_history")
    assert settings.prompt == "a person's \\ bow"
