# SPDX-License-Identifier: GPL-3.0-or-later
"""What the interface says in other languages, by Blender's own translation system."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import bpy

from .zh_hans import MESSAGES
from .zh_hans_sentences import SENTENCES

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..shared import BackendError

    Table = dict[str, dict[tuple[str, str], str]]

CONTEXTS: Final = ("*", "Operator")
"""Blender looks labels of operators up in a context of their own."""
TABLE: Final[Table] = {
    "zh_HANS": {
        (context, text): translated for text, translated in (MESSAGES | SENTENCES).items() for context in CONTEXTS
    }
}
_PLACE: Final = "{}"


def register() -> None:
    bpy.app.translations.register(__package__ or "", TABLE)


def unregister() -> None:
    bpy.app.translations.unregister(__package__ or "")


def words(text: str) -> str:
    """A sentence in the language of the interface; as it is where nobody translated it. Not for the animator's own
    words.
    """
    if not text or bpy.app.translations.locale not in TABLE:
        return text
    return filled(text, bpy.app.translations.pgettext_iface)


def filled(text: str, translate: Callable[[str], str]) -> str:
    """The text as `translate` has it, or the sentence that it was made from, with the same things put into it."""
    if (whole := translate(text)) != text:
        return whole
    template, values = _template(text)
    if template is None or (found := translate(template)) == template:
        return text
    return found.format(*(filled(value, translate) for value in values))


def told(error: BackendError) -> str:
    """What happened and what to do about it, in the language of the interface."""
    return f"{words(error.message)} {words(error.remedy)}"


@lru_cache(maxsize=256)
def _template(text: str) -> tuple[str | None, tuple[str, ...]]:
    """The sentence that the text was made from, and what was put into it. Of several the one that says most itself."""
    for pattern, template in _patterns():
        if found := pattern.fullmatch(text):
            return template, found.groups()
    return None, ()


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    templates = sorted((text for text in SENTENCES if _PLACE in text), key=lambda text: -len(text.replace(_PLACE, "")))
    return tuple((re.compile("(.*?)".join(map(re.escape, text.split(_PLACE))), re.DOTALL), text) for text in templates)
