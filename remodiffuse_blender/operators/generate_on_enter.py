# SPDX-License-Identifier: GPL-3.0-or-later
"""Enter in a prompt generates; Tab, a click elsewhere and Escape only end the typing.

Blender tells a property that its field was left, but not how. This operator is called at that moment, and Blender hands
an operator the last event: Enter, where Enter it was.
"""

from typing import Any, Final

import bpy

from .. import takes
from ..shared import BackendError

ENTER: Final = {"RET", "NUMPAD_ENTER"}


class GenerateOnEnter(bpy.types.Operator):
    """Generate once Enter ends the typing in the prompt"""

    bl_idname = "remodiffuse.generate_on_enter"
    bl_label = "Generate on Enter"
    bl_options = {"INTERNAL"}  # noqa: RUF012 (Blender's way)

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:  # noqa: ANN401
        if event.type not in ENTER:
            return {"CANCELLED"}
        return self.execute(context)

    def execute(self: Any, context: bpy.types.Context) -> Any:  # noqa: ANN401
        try:
            takes.generate(context)
        except BackendError as error:
            # The sidebar says by itself where an armature or the backend is missing.
            if error.code == "bad_request":
                takes.session.error = error
            return {"CANCELLED"}
        return {"FINISHED"}


def listen(context: bpy.types.Context) -> None:
    """A prompt has changed; by typing, where it was in the sidebar."""
    if bpy.app.background or context.window is None or context.region is None or context.region.type != "UI":
        return
    operators: Any = bpy.ops
    operators.remodiffuse.generate_on_enter("INVOKE_DEFAULT")
