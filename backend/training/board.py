# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves and pictures of a run for TensorBoard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..motion.skeleton import PARENTS
from .config import VALIDATION_TIMESTEPS
from .engine import optional

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

POSES: Final = 8
SIDE: Final = 128
"""Pixels of a pose's square."""
REACH: Final = 2.2
"""Metres that the square shows."""


class Board:
    """Writes into the folder `tensorboard` of a run. See it with: tensorboard --logdir RUN."""

    def __init__(self, folder: Path) -> None:
        """Raises BackendError where tensorboardX is not installed."""
        writer = optional("tensorboardX", "tensorboardX==2.6.5", "write curves for TensorBoard")
        self._writer = writer.SummaryWriter(str(folder / "tensorboard"))

    def curves(self, record: dict[str, Any]) -> None:
        """What a line of log.jsonl says."""
        for name, value in record.items():
            if name == "validation":
                for timestep, error in zip(VALIDATION_TIMESTEPS, value, strict=True):
                    self._writer.add_scalar(f"validation/{timestep}", error, record["iteration"])
            elif name not in ("iteration", "seconds"):
                self._writer.add_scalar(name, value, record["iteration"])
        self._writer.flush()

    def picture(self, iteration: int, positions: NDArray[np.floating]) -> None:
        """Poses of a motion (T, 22, 3) beside each other, from the side."""
        self._writer.add_image("sample", strip(positions), iteration, dataformats="HW")
        self._writer.flush()

    def close(self) -> None:
        """Wait until all is written; what comes later goes into another file."""
        self._writer.close()


def strip(positions: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Grey picture (SIDE, POSES * SIDE) of equally spaced poses, seen from the left; the floor is at the bottom."""
    picture = np.full((SIDE, POSES * SIDE), 255, np.uint8)
    for number, frame in enumerate(np.linspace(0, len(positions) - 1, POSES).round().astype(int)):
        pose = positions[frame]
        ahead, up = pose[:, 2] - pose[0, 2], pose[:, 1]
        columns = (0.5 + ahead / REACH) * SIDE
        rows = (1.0 - (up + 0.1) / REACH) * SIDE
        for joint, parent in enumerate(PARENTS):
            if parent < 0:
                continue
            shares = np.linspace(0.0, 1.0, SIDE)
            x, y = (
                np.rint(values[parent] + (values[joint] - values[parent]) * shares).astype(int)
                for values in (columns, rows)
            )
            inside = (x >= 0) & (x < SIDE) & (y >= 0) & (y < SIDE)
            picture[y[inside], x[inside] + number * SIDE] = 0
    return picture
