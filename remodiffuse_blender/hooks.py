# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender asks of the lowest rooms and higher ones answer.

Blender calls a property when it changes, and preferences when they are to be drawn. So that neither need know what is
made of it, they call a hook, and `registration` connects those.
"""

from collections.abc import Callable
from typing import Any


class Hook:
    """A function that is connected later; until then it does nothing."""

    def __init__(self) -> None:
        self._answer: Callable[..., Any] | None = None

    def __call__(self, *given: object) -> Any:  # noqa: ANN401 - what was connected decides
        return self._answer(*given) if self._answer else None

    def connect(self, answer: Callable[..., Any]) -> None:
        self._answer = answer

    def disconnect(self) -> None:
        self._answer = None


prompt_typed = Hook()
"""(context)"""
preview_changed = Hook()
"""(scene, context): the active take, or how takes are put on the timeline."""
search_changed = Hook()
"""(context): what to look for in the motion library."""
models_offered = Hook()
"""(preferences, context, text typed so far) -> names and what they are"""
preferences_drawn = Hook()
"""(layout, context, preferences)"""
