# SPDX-License-Identifier: GPL-3.0-or-later
"""Enter in the prompt generates.

Blender tells that a text has changed, but not whether Enter or a click elsewhere ended the typing. This operator
listens from the first letter on, lets everything through, and begins when Enter is released: by then the field has its
text.
"""

from typing import Any, Final

import bpy

ENTER: Final = {"RET", "NUMPAD_ENTER"}
ENDS: Final = {"ESC", "TAB", "LEFTMOUSE", "RIGHTMOUSE", "MIDDLEMOUSE", "WINDOW_DEACTIVATE"}
"""What ends the typing too, and generates nothing."""

_listening: bool = False


class GenerateOnEnter(bpy.types.Operator):
    """Generate once Enter ends the typing in the prompt"""

    bl_idname = "remodiffuse.generate_on_enter"
    bl_label = "Generate on Enter"
    bl_options = {"INTERNAL"}  # noqa: RUF012 (Blender's way)

    def invoke(self: Any, context: bpy.types.Context, event: bpy.types.Event) -> Any:  # noqa: ANN401
        global _listening  # noqa: PLW0603  one at a time
        _listening = True
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:  # noqa: ANN401
        global _listening  # noqa: PLW0603
        entered = event.type in ENTER and event.value == "RELEASE"
        if not entered and event.type not in ENDS:
            return {"PASS_THROUGH"}
        _listening = False
        operators: Any = bpy.ops
        if entered and operators.remodiffuse.generate.poll():
            operators.remodiffuse.generate()
        return {"FINISHED", "PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        global _listening  # noqa: PLW0603
        _listening = False


def listen(context: bpy.types.Context) -> None:
    """The prompt is being typed."""
    if _listening or bpy.app.background or context.window is None or context.area is None:
        return
    operators: Any = bpy.ops
    operators.remodiffuse.generate_on_enter("INVOKE_DEFAULT")
