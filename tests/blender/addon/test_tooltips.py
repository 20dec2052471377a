# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can be pressed or set says what it does, and what the sidebar says fits its narrowest width."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import SimpleNamespace

import bpy
from scenes import Rna, ops

NARROW = 240
HIDDEN = {"name", "rna_type", "bl_idname"}


def test_every_control_has_a_tooltip(addon: str) -> None:
    registration = importlib.import_module(f"{addon}.registration")
    bare = []
    for kind in registration.CLASSES:
        if issubclass(kind, bpy.types.Operator):
            rna: Rna = getattr(ops.remodiffuse, kind.bl_idname.removeprefix("remodiffuse.")).get_rna_type()
            bare += [kind.__name__] if len(rna.description) < 10 else []
    assert not bare, bare
    drawn = drawn_properties(addon)
    assert {"prompt", "strength", "as_asset", "licence", "python"} <= drawn
    for kind in registration.CLASSES:
        if not issubclass(kind, (bpy.types.PropertyGroup, bpy.types.AddonPreferences)):
            continue
        kind_rna: Rna = kind.bl_rna
        for each in kind_rna.properties:
            if each.identifier in drawn - HIDDEN and each.identifier in kind.__annotations__:
                shown_only = kind.__name__ in ("RemodiffuseReference", "RemodiffuseChoice", "RemodiffuseTake")
                bare += [f"{kind.__name__}.{each.identifier}"] if not each.description and not shown_only else []
                choices = each.enum_items if each.type == "ENUM" else ()
                bare += [f"{kind.__name__}.{each.identifier}.{item.name}" for item in choices if not item.description]
    assert not bare, bare


def drawn_properties(addon: str) -> set[str]:
    """Names of the properties that panels draw."""
    sources = [Path(importlib.import_module(f"{addon}.ui").__path__[0])]
    text = "\n".join(file.read_text("utf-8") for folder in sources for file in folder.glob("*.py"))
    named = re.findall(r'\.prop(?:_search)?\([^"\n]*"(\w+)"', text)
    listed = re.findall(r"for name in \(([^)]*)\):", text)
    return set(named) | {name for names in listed for name in re.findall(r'"(\w+)"', names)}


def test_sentences_fit_the_narrowest_sidebar(addon: str) -> None:
    """No line is longer than what Blender has room for; nothing of the sentence is lost."""
    text = importlib.import_module(f"{addon}.ui.text")
    drawn: list[str] = []
    column = SimpleNamespace(label=lambda text, **_: drawn.append(text), alert=False)
    layout = SimpleNamespace(column=lambda **_: column)
    system = SimpleNamespace(ui_scale=1.0)
    narrow = SimpleNamespace(preferences=SimpleNamespace(system=system), region=SimpleNamespace(width=NARROW))
    for sentence in (
        "Allow Online Access in Preferences > System > Network, or choose a folder of wheels.",
        "4.0 s, feet slide 1.2 cm/s",
        "19 cm from the old motion",
        "First take of its request",
    ):
        drawn.clear()
        text.paragraph(layout, narrow, sentence)
        assert " ".join(drawn) == sentence
        assert max(map(len, drawn)) * text.LETTER_WIDTH <= NARROW - text.MARGIN
        # Whoever flips through takes wants Accept to stay where it is.
        assert len(drawn) == 1 or sentence.startswith("Allow")


def test_buttons_with_words_fit_the_narrowest_sidebar(addon: str) -> None:
    text = importlib.import_module(f"{addon}.ui.text")
    operators = importlib.import_module(f"{addon}.operators").CLASSES
    widest = max((kind.bl_label for kind in operators), key=len)
    assert len(widest) * text.LETTER_WIDTH < NARROW - text.MARGIN, widest
