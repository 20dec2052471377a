# SPDX-License-Identifier: GPL-3.0-or-later
"""Right-click > Online Manual leads to the right place of the manual in the zip."""

from __future__ import annotations

import importlib
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

import bpy
import pytest

if TYPE_CHECKING:
    from scenes import Rna

WHERE = {
    "bpy.ops.remodiffuse.generate": "generate",
    "bpy.ops.remodiffuse.accept_take": "takes",
    "bpy.ops.remodiffuse.choose_reference": "references",
    "bpy.ops.remodiffuse.add_clip": "library",
    "bpy.ops.remodiffuse.install_backend": "backend",
    "bpy.types.remodiffusesettings.prompt": "generate",
    "bpy.types.remodiffuseinsert.loop": "insert",
    "bpy.types.remodiffuseresample.strength": "resample",
    "bpy.types.remodiffuselibrary.text": "library",
}


def lookup(name: str) -> str:
    """As Blender looks it up: the first match of the newest table."""
    utils: Rna = bpy.utils  # the stubs say that it returns nothing
    for prefix, table in utils.manual_map():
        for pattern, place in table:
            if fnmatchcase(name, pattern):
                return prefix + place
    return ""


@pytest.mark.parametrize(("name", "place"), WHERE.items())
def test_names_lead_to_their_place(name: str, place: str) -> None:
    assert lookup(name).endswith(f"index.html#{place}")


def test_every_operator_and_property_leads_somewhere(addon: str) -> None:
    registration = importlib.import_module(f"{addon}.registration")
    names = []
    for kind in registration.CLASSES:
        if issubclass(kind, bpy.types.Operator):
            names.append(f"bpy.ops.{kind.bl_idname}")
        elif issubclass(kind, (bpy.types.PropertyGroup, bpy.types.AddonPreferences)):
            names += [f"bpy.types.{kind.__name__.lower()}.{each}" for each in kind.__annotations__]
    assert len(names) > 80
    places = {}
    for name in names:
        url = urlparse(lookup(name))
        assert url.scheme == "file", name
        page = Path(unquote(url.path)).read_text("utf-8")
        places[url.fragment] = set(re.findall(r'id="(\w+)"', page))
    assert all(fragment in ids for fragment, ids in places.items())
