# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of motion without Blender: a shaded figure of round limbs on a floor with a grid, by Pillow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..motion.features import smooth
from ..motion.skeleton import FPS, INDEX, PARENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .measures import Array

PAPER: Final = (246, 247, 249)
INK: Final = (38, 48, 62)
_FLOOR: Final = (226, 229, 234)
_LINES: Final = ((205, 210, 218), (184, 191, 201))  # half metres, metres
_SHADOW: Final = (188, 194, 203)
_COLOURS: Final = {"left": (206, 92, 66), "right": (54, 108, 180), "": (96, 106, 120)}
"""Of the body's left, its right, and its middle."""
_RADII: Final = {
    "hip": 0.085,
    "knee": 0.072,
    "ankle": 0.052,
    "foot": 0.040,
    "spine": 0.105,
    "neck": 0.080,
    "collar": 0.060,
    "shoulder": 0.055,
    "elbow": 0.044,
    "wrist": 0.036,
    "head": 0.050,
}
"""Metres, of the limb that leads to a joint."""
_SCALE: Final = 2  # drawn larger, then reduced: smooth edges


@dataclass(frozen=True, slots=True)
class Camera:
    """Looks at `target` (3,) along the floor from `yaw` degrees off the +Z side, `rise` degrees above, metres away."""

    target: Array
    yaw: float = 38.0
    rise: float = 14.0
    distance: float = 5.0
    lens: float = 2.0
    """Focal length in picture widths at 1:1."""

    def seen(self, points: Array, size: int) -> tuple[Array, Array]:
        """(..., 3) -> pixels (..., 2) in a square of `size`, depth in metres (...)."""
        yaw, rise = np.radians(self.yaw), np.radians(self.rise)
        back = np.array([np.sin(yaw) * np.cos(rise), np.sin(rise), np.cos(yaw) * np.cos(rise)])
        right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
        up = np.cross(back, right)
        offset = points - self.target
        depth = np.maximum(self.distance - offset @ back, 0.1)
        flat = np.stack([offset @ right, -(offset @ up)], axis=-1)
        return size * (0.5 + self.lens * flat / depth[..., None]), depth


def pose_picture(pose: Array, camera: Camera, size: int) -> Image.Image:
    """One pose (22, 3), metres, Y up, floor at Y = 0."""
    large = size * _SCALE
    picture = Image.new("RGB", (large, large), PAPER)
    draw = ImageDraw.Draw(picture)
    _floor(draw, camera, large)
    _shadow(draw, pose, camera, large)
    _body(draw, pose, camera, large)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def strip(positions: Array, title: str, count: int = 10, columns: int = 5, size: int = 240) -> Image.Image:
    """`count` moments of a motion (T, 22, 3), evenly spread, under a title. The camera follows the body."""
    frames = np.unique(np.linspace(0, len(positions) - 1, count).round().astype(int))
    path = smooth(positions[:, 0], 8.0)
    low = float(min(0.0, positions[frames][..., 1].min()))
    height = max(1.0, float(positions[frames][..., 1].max()) - low)
    rows = -(-len(frames) // columns)
    head, gap = 40, 4
    page = Image.new("RGB", (columns * (size + gap) + gap, head + rows * (size + gap) + gap), "white")
    draw = ImageDraw.Draw(page)
    draw.text((gap + 6, head / 2), title, INK, ImageFont.load_default(18), anchor="lm")
    for number, frame in enumerate(frames):
        row, column = divmod(number, columns)
        target = np.array([path[frame, 0], low + 0.48 * height, path[frame, 2]])
        camera = Camera(target, distance=2.55 * max(1.75, height))
        place = gap + column * (size + gap), head + gap + row * (size + gap)
        page.paste(pose_picture(positions[frame], camera, size), place)
        draw.text((place[0] + 8, place[1] + 6), f"{frame / FPS:.1f} s", INK, ImageFont.load_default(13))
    return page


def stacked(pages: Sequence[Image.Image]) -> Image.Image:
    """Pictures one below the other."""
    sheet = Image.new("RGB", (max(page.width for page in pages), sum(page.height for page in pages)), "white")
    top = 0
    for page in pages:
        sheet.paste(page, (0, top))
        top += page.height
    return sheet


def _floor(draw: ImageDraw.ImageDraw, camera: Camera, size: int) -> None:
    reach = 3.0
    low = np.floor(camera.target - reach)
    edges = np.arange(0.0, 2 * reach + 1.5, 0.5)
    corners = np.array([[low[0] + x, 0.0, low[2] + z] for x, z in ((0, 0), (7, 0), (7, 7), (0, 7))])
    draw.polygon(_pixels(camera.seen(corners, size)[0]), fill=_FLOOR)
    for step, edge in enumerate(edges):
        colour, width = _LINES[(step + 1) % 2], 1 + (step + 1) % 2
        for ends in (
            [[low[0] + edge, 0.0, low[2]], [low[0] + edge, 0.0, low[2] + 7]],
            [[low[0], 0.0, low[2] + edge], [low[0] + 7, 0.0, low[2] + edge]],
        ):
            draw.line(_pixels(camera.seen(np.array(ends), size)[0]), fill=colour, width=width)


def _shadow(draw: ImageDraw.ImageDraw, pose: Array, camera: Camera, size: int) -> None:
    """The limbs pressed onto the floor along the light, so that one sees what stands and what floats."""
    flat = pose.copy()
    flat[:, 0] += 0.25 * flat[:, 1]
    flat[:, 2] -= 0.15 * flat[:, 1]
    flat[:, 1] = 0.0
    places, depth = camera.seen(flat, size)
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            radius = 0.7 * _radius(joint) * size * camera.lens / depth[joint]
            _limb(draw, places[parent], places[joint], radius, radius, _SHADOW)


def _body(draw: ImageDraw.ImageDraw, pose: Array, camera: Camera, size: int) -> None:
    """Far limbs first; what is further away is paler."""
    places, depth = camera.seen(pose, size)
    pixels = size * camera.lens / depth
    limbs = [(joint, parent) for joint, parent in enumerate(PARENTS) if parent >= 0]
    head = pose[INDEX["head"]] + 0.07 * _unit(pose[INDEX["head"]] - pose[INDEX["neck"]])
    head_place, head_depth = camera.seen(head[None], size)
    middle = depth[0]

    def draw_limb(joint: int, parent: int) -> None:
        colour = _shaded(_COLOURS[_side(joint)], middle - 0.5 * (depth[joint] + depth[parent]))
        outline = _shaded((30, 36, 46), middle - depth[joint])
        ends = places[parent], places[joint]
        radii = _radius(joint) * pixels[parent], 0.85 * _radius(joint) * pixels[joint]
        _limb(draw, *ends, radii[0] + size / 220, radii[1] + size / 220, outline)
        _limb(draw, *ends, *radii, colour)

    def draw_head() -> None:
        radius = 0.105 * size * camera.lens / head_depth[0]
        _disc(draw, head_place[0], radius + size / 220, (30, 36, 46))
        _disc(draw, head_place[0], radius, _shaded((150, 158, 170), middle - head_depth[0]))

    order: list[tuple[float, int, int]] = [(0.5 * float(depth[j] + depth[p]), j, p) for j, p in limbs]
    order.append((float(head_depth[0]), -1, -1))
    for _, joint, parent in sorted(order, reverse=True):
        if joint < 0:
            draw_head()
        else:
            draw_limb(joint, parent)


def _limb(draw: ImageDraw.ImageDraw, a: Array, b: Array, radius_a: float, radius_b: float, colour: Any) -> None:  # noqa: ANN401
    along = _unit(b - a)
    across = np.array([-along[1], along[0]])
    corners = np.array([a + radius_a * across, b + radius_b * across, b - radius_b * across, a - radius_a * across])
    draw.polygon(_pixels(corners), fill=colour)
    _disc(draw, a, radius_a, colour)
    _disc(draw, b, radius_b, colour)


def _disc(draw: ImageDraw.ImageDraw, centre: Array, radius: float, colour: Any) -> None:  # noqa: ANN401 - Pillow's own
    x, y = float(centre[0]), float(centre[1])
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _shaded(colour: tuple[int, int, int], nearer: float) -> tuple[int, ...]:
    """Paler by up to a third half a metre behind the body's middle."""
    share = 0.33 * float(np.clip(0.5 - nearer, 0.0, 1.0))
    return tuple(round(channel + share * (paper - channel)) for channel, paper in zip(colour, PAPER, strict=True))


def _radius(joint: int) -> float:
    name = next(name for name, index in INDEX.items() if index == joint)
    return _RADII[name.rpartition("_")[2].rstrip("123")]


def _side(joint: int) -> str:
    name = next(name for name, index in INDEX.items() if index == joint)
    side = name.partition("_")[0]
    return side if side in _COLOURS else ""


def _unit(vector: Array) -> Array:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def _pixels(points: Array) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in points]
