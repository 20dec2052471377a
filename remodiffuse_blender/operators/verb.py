# SPDX-License-Identifier: GPL-3.0-or-later
"""What all operators have in common: a grey button says why it is grey, a failed one reports message and remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..shared import BackendError
from ..translations import told, words

if TYPE_CHECKING:
    import bpy


# Values of bl_options. What changes the file is undone in one step.
REGISTERED: Final[Any] = {"REGISTER"}
UNDOABLE: Final[Any] = {"REGISTER", "UNDO"}
FOR_SCRIPTS: Final[Any] = {"INTERNAL"}


class Verb:
    """Mixin of an operator. `precondition` tells whether it can work now, `act` does it.

    Both may raise `BackendError`.
    """

    bl_options = REGISTERED

    @staticmethod
    def precondition(context: bpy.types.Context) -> None:
        """Must be cheap: Blender asks at every redraw."""

    def act(self, context: bpy.types.Context) -> str | None:
        """May return a sentence for the status bar."""
        raise NotImplementedError

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        try:
            cls.precondition(context)
        except BackendError as error:
            cls.poll_message_set(told(error))
            return False
        return True

    def execute(self: Any, context: bpy.types.Context) -> Any:  # noqa: ANN401 - an operator, Blender's set of words
        try:
            sentence = self.act(context)
        except BackendError as error:
            self.report({"ERROR"}, told(error))
            return {"CANCELLED"}
        if sentence:
            self.report({"INFO"}, words(sentence))
        return {"FINISHED"}
