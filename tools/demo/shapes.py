# SPDX-License-Identifier: GPL-3.0-or-later
"""Smooth solids for the mannequin: tubes of elliptic rings with rounded ends. Plain numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RING: Final = 16
CAP_STEPS: Final = 4


@dataclass(frozen=True)
class Solid:
    """`vertices` (V, 3) and `faces`, each a tuple of vertex indices."""

    vertices: NDArray[np.float64]
    faces: list[tuple[int, ...]]


@dataclass(frozen=True)
class Ring:
    """One cross-section: centre and two half-axes as vectors, metres. `square` 2 is an ellipse, more is boxier."""

    centre: NDArray[np.float64]
    side: NDArray[np.float64]
    depth: NDArray[np.float64]
    square: float = 2.0

    def points(self) -> NDArray[np.float64]:
        """(RING, 3) points of the superellipse."""
        angle = np.linspace(0.0, 2.0 * np.pi, RING, endpoint=False)
        cos, sin = np.cos(angle), np.sin(angle)
        power = 2.0 / self.square
        across = np.sign(cos) * np.abs(cos) ** power
        along = np.sign(sin) * np.abs(sin) ** power
        return self.centre + across[:, None] * self.side + along[:, None] * self.depth

    def shrunk(self, factor: float, shift: NDArray[np.float64]) -> Ring:
        return Ring(self.centre + shift, self.side * factor, self.depth * factor, self.square)


def tube(rings: Sequence[Ring], start_cap: float = 0.6, end_cap: float = 0.6) -> Solid:
    """A skin over the rings with rounded ends, which bulge by `cap` x the mean half-axis of the end's ring."""
    full = [*_cap(rings[0], rings[1], start_cap)[::-1], *rings, *_cap(rings[-1], rings[-2], end_cap)]
    vertices = np.concatenate([ring.points() for ring in full])
    faces: list[tuple[int, ...]] = []
    for row in range(len(full) - 1):
        base = row * RING
        for column in range(RING):
            following = (column + 1) % RING
            faces.append((base + column, base + following, base + RING + following, base + RING + column))
    last = (len(full) - 1) * RING
    faces.append(tuple(range(RING))[::-1])
    faces.append(tuple(range(last, last + RING)))
    return Solid(vertices, faces)


def _cap(end: Ring, neighbour: Ring, bulge: float) -> list[Ring]:
    """Rings that close the tube at `end`, from the end outwards."""
    outward = end.centre - neighbour.centre
    outward = outward / np.linalg.norm(outward)
    reach = bulge * 0.5 * (np.linalg.norm(end.side) + np.linalg.norm(end.depth))
    turns = np.linspace(0.0, 0.5 * np.pi, CAP_STEPS + 1)[1:]
    return [end.shrunk(max(float(np.cos(turn)), 0.02), outward * reach * np.sin(turn)) for turn in turns]


def ellipsoid(centre: NDArray[np.float64], axes: NDArray[np.float64]) -> Solid:
    """A ball with the half-axes `axes` (3 rows: side, depth, up)."""
    turns = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 11)[1:-1]
    rings = [Ring(centre + axes[2] * np.sin(turn), axes[0] * np.cos(turn), axes[1] * np.cos(turn)) for turn in turns]
    return tube(rings, 0.25, 0.25)
