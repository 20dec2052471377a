# SPDX-License-Identifier: GPL-3.0-or-later
"""A BVH motion written as ASF and AMC, with bone axes chosen at random: the reader has to undo them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.motion.bvh import Bvh


def as_acclaim(bvh: Bvh, rng: np.random.Generator, names: Mapping[str, str] | None = None) -> tuple[str, str]:
    """(ASF, AMC) texts. `names` renames joints; the file's root is always called "root".

    An Acclaim bone has one end only, so each joint becomes two: an unmoving bone that leads to it from its parent, and
    one without length that turns.
    """
    called = [(names or {}).get(name, name) for name in bvh.names]
    places, turns = bvh.pose(bvh.names)
    bones, hierarchy = [], []
    frames = [[str(frame + 1)] for frame in range(len(places))]
    for joint, (name, parent, offset) in enumerate(zip(called, bvh.parents, bvh.offsets, strict=True)):
        own = turns[:, joint] if parent < 0 else turns[:, parent].transpose(0, 2, 1) @ turns[:, joint]
        if parent < 0:
            called[joint] = "root"
            euler = Rotation.from_matrix(own).as_euler("xyz", degrees=True)
            for frame, place, angles in zip(frames, places[:, joint], euler, strict=True):
                frame.append(_line("root", *place, *angles))
            continue
        length = float(np.linalg.norm(offset))
        direction = offset / length if length else np.array([0.0, 1.0, 0.0])
        bones.append(_bone(f"to_{name}", direction, length, np.zeros(3), ""))
        hierarchy.append(f"{called[parent]} to_{name}")
        axis = rng.uniform(-90, 90, 3)
        turn = Rotation.from_euler("xyz", axis, degrees=True).as_matrix()
        euler = Rotation.from_matrix(turn.T @ own @ turn).as_euler("xyz", degrees=True)
        bones.append(_bone(name, direction, 0.0, axis, "dof rx ry rz"))
        hierarchy.append(f"to_{name} {name}")
        for frame, angles in zip(frames, euler, strict=True):
            frame.append(_line(name, *angles))
    root = ":root\norder TX TY TZ RX RY RZ\naxis XYZ\nposition 0 0 0\norientation 0 0 0"
    parts = [":units\nlength 1\nangle deg", root, ":bonedata", *bones, ":hierarchy\nbegin", *hierarchy, "end"]
    motion = ["# made for a test", ":DEGREES", *(line for frame in frames for line in frame)]
    return "\n".join(parts) + "\n", "\n".join(motion) + "\n"


def _bone(name: str, direction: np.ndarray, length: float, axis: np.ndarray, dof: str) -> str:
    way = _line("direction", *direction)
    return f"begin\nname {name}\n{way}\nlength {length:.9f}\n{_line('axis', *axis)} XYZ\n{dof}\nend"


def _line(name: str, *numbers: float) -> str:
    return " ".join([name, *(f"{number:.7f}" for number in numbers)])
