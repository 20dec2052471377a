# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: RUF001 - Chinese has punctuation and widths of its own
"""Every label and description that Blender shows of ours has its Chinese words."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING

import bpy
import pytest
from scenes import Rna, context, ops, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator


def texts(addon: str) -> set[str]:
    """What the registered classes say: labels, descriptions, names of properties and choices."""
    registration = importlib.import_module(f"{addon}.registration")
    found = set()
    for kind in registration.CLASSES:
        # Blender writes the name of the chosen preset over the label of a list of presets.
        listing = kind.__name__ in ("PresetsPanel", "HistoryMenu")
        if issubclass(kind, (bpy.types.Operator, bpy.types.Panel, bpy.types.Menu)) and not listing:
            found.add(kind.bl_label)
        if issubclass(kind, bpy.types.Operator):
            found.add(getattr(ops.remodiffuse, kind.bl_idname.removeprefix("remodiffuse.")).get_rna_type().description)
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


@pytest.fixture
def chinese() -> Iterator[None]:
    if "zh_HANS" not in bpy.app.translations.locales:
        pytest.skip("this Blender was built without languages")
    view: Rna = context.preferences.view
    before = view.language, view.use_translate_interface
    view.language, view.use_translate_interface = "zh_HANS", True
    yield
    view.language, view.use_translate_interface = before


SAID = {
    "A request is on its way.": "已有请求正在进行。",
    "Hero has no active action.": "Hero 没有活动动作。",
    "The library own has no clip 3.": "动作库 own 中没有片段 3。",
    "The motion has no frames from 500 to 600.": "动作没有第 500 至 600 帧。",
    "Sampling 3/17, 12 s left": "正在采样：3/17，剩余 12 秒",
    "Imported 2 clips of 3 files. 1 failed: a {b}": "已导入 2 个片段，共 3 个文件。1 个失败：a {b}",
    "The feet are 2.6 times as long as the motion's against the legs: they roll less.": (
        "相对于腿长，脚长是动作中的 2.6 倍：脚的滚动会减小。"
    ),
    "Nobody translated this.": "Nobody translated this.",
}


@pytest.mark.parametrize(("said", "translated"), SAID.items())
def test_sentences_are_told_in_chinese(addon: str, said: str, translated: str) -> None:
    """By the table itself: a Blender without languages has it too."""
    module = importlib.import_module(f"{addon}.translations")
    assert module.filled(said, lambda text: module.SENTENCES.get(text, text)) == translated


def test_a_refusal_is_told_in_chinese(addon: str, chinese: None) -> None:
    assert "没有版本" in refusal(ops.remodiffuse.accept_take)
    assert "请先生成" in refusal(ops.remodiffuse.accept_take)


def test_in_english_sentences_stay(addon: str) -> None:
    for said in SAID:
        assert importlib.import_module(f"{addon}.translations").words(said) == said


def test_chinese_fits_the_sidebar_too(addon: str) -> None:
    lines = importlib.import_module(f"{addon}.ui.text").lines
    sentence = "请打开 偏好设置 > 插件 > ReMoDiffuse 安装后端，或选择自己的后端。"
    assert "".join(lines(sentence, 16)).replace(" ", "") == sentence.replace(" ", "")
    assert all(sum(2 if ord(letter) > 0x2E80 else 1 for letter in line) <= 18 for line in lines(sentence, 16))
