# SPDX-License-Identifier: GPL-3.0-or-later
"""`RestPose`: everything the rig maths needs to know about an armature, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class RestPose:
    """An armature at rest. Bones are in hierarchy order: a parent comes before its children.

    `matrices` (N, 4, 4) are the bones' rest matrices in armature space (columns x, y, z, head), `tails` (N, 3) their
    ends, `world` (4, 4) the object's matrix. `parents` (N) are indices, -1 for none. `carriers` (N) name the bone
    that moves a bone while its own channels are at rest: the parent, or the target of a constraint that copies
    another bone outright; `copies` (N) tells the two apart. `properties` are the bones' custom properties. `ik` says of
    a lower limb bone that inverse kinematics turns which bones are its target and its pole (-1 for none), `pole_angles`
    hold the pole angle (radians) of every such constraint, `hinges` are the bones that inverse kinematics can only turn
    about their X axis, `stretched` those that it may make longer, and `constrained` the bones with any constraint.
    `object_location` (3) and `object_axes` (3, 3) are the object's own location and the way into its space.

    An armature that its object mirrors (`mirrored`) is given as it is seen: all of it across the YZ plane of armature
    space, see `mirror.py`. One that stands otherwise than its bones rest is given as it stands; `bound` is then the
    rest pose that its channels count from, see `stance.py`.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    matrices: Array
    tails: Array
    world: Array
    carriers: tuple[int, ...]
    copies: tuple[bool, ...]
    inherit_rotation: tuple[bool, ...]
    local_location: tuple[bool, ...]
    connected: tuple[bool, ...]
    deform: tuple[bool, ...]
    rotation_modes: tuple[str, ...]
    properties: dict[str, dict[str, float]] = field(default_factory=dict)
    ik: dict[int, tuple[int, int]] = field(default_factory=dict)
    pole_angles: dict[int, float] = field(default_factory=dict)
    hinges: frozenset[int] = frozenset()
    stretched: frozenset[int] = frozenset()
    constrained: frozenset[int] = frozenset()
    object_location: Array = field(default_factory=lambda: np.zeros(3))
    object_axes: Array = field(default_factory=lambda: np.eye(3))
    mirrored: bool = False
    bound: RestPose | None = None

    @cached_property
    def index(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.names)}

    @cached_property
    def heads(self) -> Array:
        """(N, 3) in armature space."""
        return self.matrices[:, :3, 3]

    def free(self, bone: int) -> bool:
        """Whether nothing but keys moves a bone against its parent."""
        return bone not in self.constrained and not self.copies[bone]

    def carried_by(self, bone: int) -> tuple[int, ...]:
        """The bones that carry `bone`, nearest first."""
        return self._chains[bone]

    @cached_property
    def _chains(self) -> list[tuple[int, ...]]:
        known: dict[int, tuple[int, ...]] = {}
        for bone in range(len(self.names)):
            way = [bone]
            while (above := self.carriers[way[-1]]) >= 0 and above not in known and above not in way:
                way.append(above)
            chain = (above, *known[above]) if above in known else ()
            if above >= 0 and above not in known:  # a circle of constraints: each of its bones carries all others
                known[bone] = tuple(way[1:])
                continue
            for one in reversed(way):
                known[one] = chain
                chain = (one, *chain)
        return [known[bone] for bone in range(len(self.names))]
