# SPDX-License-Identifier: GPL-3.0-or-later
# Blender's stubs know nodes, sockets and object data by their base classes only.
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""Inside Blender: render motion.blend to pictures and join them to a video.

python -m tools.demo.film MOTION.blend FRAMES_FOLDER MOTION.mp4
"""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

from .. import inside_blender


def render(blend: Path, frames: Path) -> None:
    """One picture a frame: FRAMES/0001.png ..."""
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    scene = bpy.context.scene
    if "media_type" in scene.render.image_settings.bl_rna.properties:  # Blender 5.0 and newer
        scene.render.image_settings.media_type = "IMAGE"
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.filepath = f"{frames}/"
    bpy.ops.render.render(animation=True)


def join(frames: Path, video: Path) -> None:
    """The pictures as H.264, by Blender's own encoder, at the frame rate of the open file."""
    source = bpy.context.scene
    pictures = sorted(frames.glob("*.png"))
    scene = bpy.data.scenes.new("Film")
    scene.render.fps, scene.render.fps_base = source.render.fps, source.render.fps_base
    scene.render.resolution_x, scene.render.resolution_y = source.render.resolution_x, source.render.resolution_y
    scene.view_settings.view_transform = "Standard"
    scene.frame_start, scene.frame_end = 1, len(pictures)
    strip = scene.sequence_editor_create().strips.new_image("Frames", str(pictures[0]), channel=1, frame_start=1)
    for picture in pictures[1:]:
        strip.elements.append(picture.name)
    render_settings = scene.render
    if "media_type" in render_settings.image_settings.bl_rna.properties:
        render_settings.image_settings.media_type = "VIDEO"
    render_settings.image_settings.file_format = "FFMPEG"
    render_settings.ffmpeg.format = "MPEG4"
    render_settings.ffmpeg.codec = "H264"
    render_settings.ffmpeg.constant_rate_factor = "HIGH"
    render_settings.filepath = str(video)
    render_settings.use_file_extension = False
    bpy.ops.render.render(animation=True, scene=scene.name)


def main() -> None:
    blend, frames, video = map(Path, sys.argv[1:4])
    render(blend, frames)
    join(frames, video)


if __name__ == "__main__":
    inside_blender.run(main)
