# SPDX-License-Identifier: GPL-3.0-or-later
"""Every sentence that the sidebar can say, errors and remedies of the backend included, has its Chinese words.

The sentences are read from the sources: what an f-string puts in is `{}` in the table.
"""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
TABLES = [runpy.run_path(str(ROOT / f"remodiffuse_blender/translations/{name}.py")) for name in
          ("zh_hans", "zh_hans_sentences")]  # fmt: skip
MESSAGES, SENTENCES = TABLES[0]["MESSAGES"], TABLES[1]["SENTENCES"]
TERMINAL = (
    "remodiffuse_blender/batch.py",
    "backend/batch.py",
    "backend/bench",
    "backend/commands",
    "backend/console",
    "backend/golden.py",
    "backend/library/archive.py",
    "backend/library/official.py",
    "backend/model/importer.py",
    "backend/model/official.py",
    "backend/motion/asf.py",
    "backend/motion/formats.py",
    "backend/prompts.py",
    "backend/training",
    "backend/verify.py",
)
"""What only speaks in the terminal, in English."""
DRAWN = ("remodiffuse_blender/ui", "remodiffuse_blender/takes.py", "remodiffuse_blender/library",
         "remodiffuse_blender/installation.py", "remodiffuse_blender/operators")  # fmt: skip
SAYING = {"paragraph", "words", "label", "progress", "Status"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("remodiffuse_blender", "backend"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
            if not name.startswith(TERMINAL) and "/translations/" not in name:
                yield name, ast.parse(file.read_text("utf-8"))


def texts(node: ast.expr, known: dict[str, list[str]]) -> list[str]:
    """What an expression can say; nothing where it only passes on what somebody else said."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr():
            return ["".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)]
        case ast.BinOp(op=ast.Add()):
            return [a + b for a in texts(node.left, known) for b in texts(node.right, known)]
        case ast.IfExp():
            return texts(node.body, known) + texts(node.orelse, known)
        case ast.Name(id=name):
            return known.get(name, [])
    return []


def called(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def assigned(tree: ast.Module) -> dict[str, list[str]]:
    """Texts by the name that they are given in a file; CHOOSE is the one that many import."""
    known: dict[str, list[str]] = {"CHOOSE": [CHOOSE]}
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or value is None:
            continue
        for target in targets:
            if isinstance(target, ast.Name):
                known.setdefault(target.id, []).extend(texts(value, {}))
    return known


CHOOSE = "Open Preferences > Add-ons > ReMoDiffuse and install the backend, or choose one of your own."


def errors() -> set[str]:
    found = set()
    for name, tree in sources():
        known = assigned(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) == "BackendError":
                found.update(text for part in node.args[1:3] for text in texts(part, known))
            elif isinstance(node, ast.FunctionDef) and node.name == "note" and name.endswith("install/builds.py"):
                returned = (each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value)
                found.update(text for value in returned for text in texts(value, known) if text)
            elif isinstance(node, ast.Call) and called(node) == "_run" and name.endswith("install/steps.py"):
                found.update(texts(node.args[2], known))
            elif isinstance(node, ast.Call) and called(node) == "_bad" and name.endswith("bvh_clips.py"):
                found.update(f"{text}." for text in texts(node.args[0], known))
                found.update(texts(node.args[1], known))
    return found


def shown() -> set[str]:
    """What panels, notes and reports say beside labels and errors."""
    found = set()
    for name, tree in sources():
        if not name.startswith(DRAWN):
            continue
        known = assigned(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) in SAYING:
                parts = [*node.args, *(word.value for word in node.keywords if word.arg == "text")]
                found.update(text for part in parts for text in texts(part, known))
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "attr", "") == "note":
                found.update(texts(node.value, known))
            elif isinstance(node, ast.Call) and called(node) in ("_noted", "_end_import"):
                found.update(text for part in node.args for text in texts(part, known))
            elif isinstance(node, ast.FunctionDef) and node.name in ("act", "sentence", "_source"):
                returns = [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value]
                found.update(text for value in returns for text in texts(value, known))
            elif isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") in ("STAGES", "WORDS"):
                assert isinstance(node.value, ast.Dict)
                found.update(text for value in node.value.values for text in texts(value, known))
    return found


def spoken(found: set[str]) -> set[str]:
    """Without icons' names, numbers and what only joins what others say."""
    return {text for text in found if re.search(r"[A-Za-z][a-z]+", text.replace("{}", "")) and not text.isupper()}


def test_the_sources_are_read() -> None:
    assert {"A request is on its way.", "The library {} is damaged.", CHOOSE} <= errors()
    assert {"{} cm from the old motion", "Added: {}", "Sampling", "Inserted: {}"} <= shown()


@pytest.mark.parametrize("found", [errors, shown], ids=["errors", "shown"])
def test_every_sentence_has_chinese_words(found) -> None:  # noqa: ANN001
    missing = sorted(spoken(found()) - set(SENTENCES) - set(MESSAGES))
    assert not missing, missing


def test_a_translation_says_as_much_as_the_sentence() -> None:
    for text, translated in SENTENCES.items():
        places = re.findall(r"\{\d?\}", translated)
        assert len(places) == text.count("{}"), text
        assert translated.format(*"abcdefg")
        assert re.search("[\u4e00-\u9fff]", translated) or text in ("{}: {}...", "{} {}/{}"), text
