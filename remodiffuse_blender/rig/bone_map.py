# SPDX-License-Identifier: GPL-3.0-or-later
"""`BoneMap`: which bone of a rig plays which canonical joint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from ..shared import skeleton

REQUIRED: Final[tuple[str, ...]] = (
    *("pelvis", "head"),
    *(f"{side}_{joint}" for joint in ("hip", "knee", "ankle", "shoulder", "elbow") for side in ("left", "right")),
)
"""Joints without which a rig cannot be animated; besides, one of the three spine joints."""


@dataclass(frozen=True)
class Missing:
    """A canonical joint that no bone was found for, and what to do about it."""

    joint: str
    remedy: str


@dataclass(frozen=True)
class BoneMap:
    """Joint name (of `skeleton.JOINTS`) -> bone name. Joints that the rig lacks are left out.

    `family` says what kind of rig it is ("mixamo", "rigify_control", ... or "unknown"), `confidence` (0..1) how sure
    the detection is. `switches` are custom properties to key with the motion: bone -> property -> value, for
    example the IK/FK switches of a control rig. `reference` holds the rotations (w, x, y, z; armature space) that turn
    bones from their rest pose into the T-pose, where the animator has posed it or nobody could stand as they rest;
    without them the way from the rest pose to the T-pose is worked out.
    """

    family: str
    bones: dict[str, str]
    confidence: float = 1.0
    switches: dict[str, dict[str, float]] = field(default_factory=dict)
    reference: dict[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def missing(self) -> list[Missing]:
        """Joints without a bone, in the order of `skeleton.JOINTS`."""
        return [Missing(joint, _remedy(joint)) for joint in skeleton.JOINTS if joint not in self.bones]

    @property
    def complete(self) -> bool:
        """All required joints have a bone."""
        spine = any(f"spine{number}" in self.bones for number in (1, 2, 3))
        return spine and all(joint in self.bones for joint in REQUIRED)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` is the way back."""
        return {
            "family": self.family,
            "confidence": self.confidence,
            "bones": dict(self.bones),
            "switches": {bone: dict(values) for bone, values in self.switches.items()},
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> BoneMap:
        """Raises KeyError, TypeError or ValueError for anything that is not a bone map."""
        bones = {str(joint): str(bone) for joint, bone in data["bones"].items()}
        if unknown := set(bones) - set(skeleton.JOINTS):
            raise ValueError(f"unknown joints: {', '.join(sorted(unknown))}")
        switches = {
            str(bone): {str(key): float(value) for key, value in values.items()}
            for bone, values in data["switches"].items()
        }
        return cls(str(data["family"]), bones, float(data["confidence"]), switches)


def _remedy(joint: str) -> str:
    words = joint.replace("_", " ")
    if joint in REQUIRED:
        return f"Choose the bone for the {words} in the bone map."
    return f"Nothing to do if the rig has no {words} bone; it follows its parent."
