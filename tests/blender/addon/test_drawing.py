# SPDX-License-Identifier: GPL-3.0-or-later
"""Every panel, list and menu draws in this Blender: on a layout that draws nothing, but knows what a real one takes."""

from __future__ import annotations

import importlib
from functools import partial
from types import SimpleNamespace
from typing import Any

import bpy
import pytest
from libraries import search
from scenes import Rna, context, generate, ops

LAYOUT: Rna = bpy.types.UILayout.bl_rna
OWN = ("drawn",)


class Paper:
    """A layout. Calls and settings that this Blender's layouts do not know are errors, also unknown icons, properties,
    operators, menus and panels. `drawn` collects the names of what was called."""

    drawn: list[str]

    def __init__(self, drawn: list[str]) -> None:
        self.drawn = drawn

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name in LAYOUT.properties:
            return None
        return partial(self._call, name)

    def __setattr__(self, name: str, value: object) -> None:
        if name in OWN:
            super().__setattr__(name, value)
            return
        known = LAYOUT.properties[name]
        if known.type == "ENUM":
            assert value in known.enum_items, (name, value)

    def _call(self, name: str, *words: Any, **options: Any) -> Any:  # noqa: ANN401
        self.drawn.append(name)
        function = LAYOUT.functions[name]
        taken = {each.identifier: each for each in function.parameters if not each.is_output}
        given = dict(zip(taken, words, strict=False)) | options
        assert given.keys() <= taken.keys(), (name, given.keys() - taken.keys())
        required = {each.identifier for each in taken.values() if each.is_required}
        assert required <= given.keys(), (name, required - given.keys())
        for key, value in given.items():
            if taken[key].type == "ENUM" and not taken[key].is_enum_flag:
                assert value in taken[key].enum_items, (name, key, value)
        return getattr(type(self), f"_{name}", Paper._more)(self, given)

    def _more(self, given: dict[str, Any]) -> Paper:
        del given
        return Paper(self.drawn)

    def _panel(self, given: dict[str, Any]) -> tuple[Paper, Paper]:
        del given
        return Paper(self.drawn), Paper(self.drawn)

    def _prop(self, given: dict[str, Any]) -> None:
        assert given["property"] in given["data"].bl_rna.properties, given

    def _prop_search(self, given: dict[str, Any]) -> None:
        self._prop(given)
        assert given["search_property"] in given["search_data"].bl_rna.properties, given

    def _operator(self, given: dict[str, Any]) -> Words:
        kind, _, name = given["operator"].partition(".")
        return Words(getattr(getattr(ops, kind), name).get_rna_type())

    def _menu(self, given: dict[str, Any]) -> None:
        assert hasattr(bpy.types, given["menu"]), given

    def _popover(self, given: dict[str, Any]) -> None:
        assert hasattr(bpy.types, given["panel"]), given

    def _template_list(self, given: dict[str, Any]) -> None:
        kind: Rna = getattr(bpy.types, given["listtype_name"])
        assert given["active_propname"] in given["active_dataptr"].bl_rna.properties
        for index, item in enumerate(getattr(given["dataptr"], given["propname"])):
            line = (given["dataptr"], item, 0, given["active_dataptr"], given["active_propname"], index, 0)
            kind.draw_item(SimpleNamespace(layout_type="DEFAULT"), View(), Paper(self.drawn), *line)


class Words:
    """The properties of an operator's button."""

    def __init__(self, kind: Rna) -> None:
        super().__setattr__("kind", kind)

    def __setattr__(self, name: str, value: object) -> None:
        assert name in self.kind.properties, name  # pyright: ignore[reportAttributeAccessIssue]


class Preferences:
    """Blender's, in a window: without one nothing has a size."""

    system = SimpleNamespace(ui_scale=1.0)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(context.preferences, name)


class View:
    """The context of a sidebar of 300 pixels."""

    region = SimpleNamespace(width=300)
    preferences = Preferences()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(context, name)


def visible(panel: Rna) -> bool:
    """Whether it and what it lies in can be seen."""
    above = getattr(panel, "bl_parent_id", "")
    return getattr(panel, "poll", lambda _: True)(context) and (not above or visible(getattr(bpy.types, above)))


def draw_everything(addon: str) -> dict[str, list[str]]:
    """What each panel and menu that can be seen now draws, by its class."""
    registration = importlib.import_module(f"{addon}.registration")
    seen: dict[str, list[str]] = {}
    for kind in registration.CLASSES:
        # The list of presets is drawn by Blender itself.
        if not issubclass(kind, (bpy.types.Panel, bpy.types.Menu)) or kind.__name__ == "PresetsPanel":
            continue
        if issubclass(kind, bpy.types.Panel) and not visible(kind):
            continue
        drawn = seen.setdefault(kind.__name__, [])
        for name in ("draw", "draw_header_preset"):
            if draw := kind.__dict__.get(name):
                draw(SimpleNamespace(layout=Paper(drawn), bl_idname=kind.bl_idname), View())
    drawn = seen.setdefault("preferences", [])
    preferences = importlib.import_module(f"{addon}.ui.backend_preferences")
    preferences.draw(Paper(drawn), View(), context.preferences.addons[addon].preferences)
    return seen


def test_at_first(addon: str, armature: Rna) -> None:
    seen = draw_everything(addon)
    assert len(seen) > 7
    assert all(seen.values()), seen


def test_without_an_armature(addon: str) -> None:
    assert draw_everything(addon)


def test_while_generating(addon: str, settings: Rna) -> None:
    ops.remodiffuse.generate()
    assert any("progress" in drawn for drawn in draw_everything(addon).values())
    ops.remodiffuse.wait(timeout=120)


def test_when_it_failed(addon: str, settings: Rna, preferences: Rna, takes: Rna) -> None:
    shared = importlib.import_module(f"{addon}.shared")
    takes.session.error = shared.BackendError("broken", "Something broke.", "Mend it.")
    assert draw_everything(addon)


@pytest.mark.fault("GPU or its driver too old")
def test_a_gpu_that_is_not_used_is_explained(addon: str, preferences: Rna) -> None:
    installation: Rna = importlib.import_module(f"{addon}.installation").installation
    shared: Rna = importlib.import_module(f"{addon}.shared")
    before, python, device = installation.ready, preferences.python, preferences.device

    def labels(note: str, device: str = "auto") -> int:
        preferences.python, preferences.device = "", device
        installation.ready = shared.Ready("cpu", "", "3.11", {}, "cpu", 0, 0, 0.0, note)
        return draw_everything(addon)["preferences"].count("label")

    try:
        assert labels("The GPU is too old.") == labels("") + 1
        assert labels("The GPU is too old.", "cpu") == labels("")
    finally:
        installation.ready, preferences.python, preferences.device = before, python, device


def test_with_takes_references_and_clips(addon: str, desk: Rna, settings: Rna) -> None:
    settings.count = 2
    generate()
    reference = settings.takes[0].references[0]
    for banned in (True, False):
        ops.remodiffuse.choose_reference(
            library=reference.library, clip=reference.clip + banned, caption=reference.caption, banned=banned
        )
    search("a person waves")
    ops.remodiffuse.report_rig()
    few = draw_everything(addon)
    assert few["ReferencesPanel"].count("operator") > 4
    resample, insert = settings.resample, settings.insert
    resample.use_range, resample.use_parts = True, True
    insert.into, insert.keys, insert.loop = "STRIP", "SPARSE", True
    ops.remodiffuse.add_prompt()
    many = draw_everything(addon)
    for panel in ("ResamplePanel", "InsertPanel"):
        assert len(many[panel]) > len(few[panel])
    assert {"ReviewPanel", "LibraryPanel", "LibrariesPanel", "BoneMapPanel", "HistoryMenu"} <= many.keys()


@pytest.mark.parametrize("wrong", ["lable", "label_icon", "prop", "operator"])
def test_the_paper_notices(wrong: str) -> None:
    paper = Paper([])
    with pytest.raises((AssertionError, KeyError)):
        match wrong:
            case "lable":
                paper.lable(text="")
            case "label_icon":
                paper.label(text="", icon="NO_SUCH_ICON")
            case "prop":
                paper.prop(context.scene, "no_such_property")
            case _:
                paper.operator("remodiffuse.generate").no_such_word = 1
