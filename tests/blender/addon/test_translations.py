# SPDX-License-Identifier: GPL-3.0-or-later
"""Every label and description that Blender shows of ours has its Chinese words."""

from __future__ import annotations

import importlib
import re

import bpy
import pytest
from scenes import Rna, context


def texts(addon: str) -> set[str]:
    """What the registered classes say: labels, descriptions, names of properties and choices."""
    registration = importlib.import_module(f"{addon}.registration")
    found = set()
    for kind in registration.CLASSES:
        rna: Rna = kind.bl_rna
        # Blender writes the name of the chosen preset over the label of a list of presets.
        listing = kind.__name__ in ("PresetsPanel", "HistoryMenu")
        if issubclass(kind, (bpy.types.Operator, bpy.types.Panel, bpy.types.Menu)) and not listing:
            found.add(kind.bl_label)
        if issubclass(kind, bpy.types.Operator):
            found.add(rna.description)
        properties: Rna = kind.bl_rna.properties
        for each in properties:
            if each.identifier not in getattr(kind, "__annotations__", {}) or each.is_hidden:
                continue
            # What has no name of its own goes by its identifier: it is never shown.
            found |= {text for text in (each.name, each.description) if text != each.identifier}
            if each.type == "ENUM":
                found |= {text for item in each.enum_items for text in (item.name, item.description)}
    return {text for text in found if re.search("[A-Za-z]{2}", text)}


def drawn(addon: str) -> set[str]:
    """Texts that panels give their buttons and labels themselves."""
    package = importlib.import_module(f"{addon}.ui")
    from pathlib import Path

    found = set()
    for file in Path(package.__path__[0]).glob("*.py"):
        found |= set(re.findall(r'(?:text|placeholder)="([^"{]*[A-Za-z]{2}[^"{]*)"', file.read_text("utf-8")))
    return found


def generated_names(addon: str) -> set[str]:
    """Names of joints in the bone map are made from the skeleton, and stay English."""
    bone_table = importlib.import_module(f"{addon}.bone_table")
    kinds = bone_table.CLASSES
    return {text for kind in kinds for each in kind.bl_rna.properties for text in (each.name, each.description)}


def test_every_text_has_chinese_words(addon: str) -> None:
    messages = importlib.import_module(f"{addon}.translations").MESSAGES
    said = texts(addon)
    assert len(said) > 150
    missing = sorted((said | drawn(addon)) - set(messages) - generated_names(addon))
    assert not missing, missing
    assert all(text.strip() for text in messages.values())


def test_blender_shows_the_chinese_words(addon: str) -> None:
    view: Rna = context.preferences.view
    if "zh_HANS" not in bpy.app.translations.locales:
        pytest.skip("this Blender was built without languages")
    before = view.language, view.use_translate_interface
    try:
        view.language, view.use_translate_interface = "zh_HANS", True
        translate = bpy.app.translations.pgettext_iface
        assert translate("Mixture Scale") == "混合强度"
        assert translate("Re-sample", "Operator") == "重新采样"
    finally:
        view.language, view.use_translate_interface = before
    assert bpy.app.translations.pgettext_iface("Mixture Scale") == "Mixture Scale"
