# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch: a published model comes from the Hugging Face hub."""

from typing import Any

import bpy
from bpy.props import StringProperty

from .. import models
from .verb import Verb

# Blender reads properties from annotations, which no type checker can read as types.
# pyright: reportInvalidTypeForm=false


class FetchModel(Verb, bpy.types.Operator):
    """Fetch a published model from the Hugging Face hub. Every file is compared with its SHA-256"""

    bl_idname = "remodiffuse.fetch_model"
    bl_label = "Fetch a Model"
    precondition = staticmethod(models.check_idle)

    repository: StringProperty(name="Repository", description="OWNER/NAME on the hub")
    commit: StringProperty(name="Commit", description="The commit that was published, 40 hexadecimal digits")
    sha256: StringProperty(name="SHA-256", description="Of the model's card, as published")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:  # noqa: ANN401
        manager: Any = context.window_manager
        del event
        return manager.invoke_props_dialog(self, width=420)

    def act(self, context: bpy.types.Context) -> None:
        models.fetch(context, self.repository.strip(), self.commit.strip(), self.sha256.strip())
