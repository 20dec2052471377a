# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip comes and goes cleanly."""

from __future__ import annotations

import bpy


def _names_of_ours() -> set[str]:
    """What the add-on has added to Blender: operators, panels, properties of the scene."""
    operators = {f"operator {name}" for name in dir(getattr(bpy.ops, "remodiffuse"))}  # noqa: B009  unknown to the stubs
    types = {f"type {name}" for name in dir(bpy.types) if name.startswith("REMODIFFUSE_")}
    properties = {
        f"property {entry.identifier}"
        for entry in bpy.types.Scene.bl_rna.properties
        if "remodiffuse" in entry.identifier
    }
    return operators | types | properties


def test_disabling_removes_everything_and_enabling_brings_it_back(addon: str) -> None:
    before = _names_of_ours()
    assert any(name.startswith("operator") for name in before)
    bpy.ops.preferences.addon_disable(module=addon)
    assert _names_of_ours() == set()
    bpy.ops.preferences.addon_enable(module=addon)
    assert _names_of_ours() == before
