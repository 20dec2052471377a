# SPDX-License-Identifier: GPL-3.0-or-later
"""The real server with a generator that fails on command: what no real one can be asked to do.

The prompt names the fault; any other prompt takes fifty slow steps and gives takes of a standing figure.
"""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING

import numpy as np

from backend.errors import BackendError
from backend.motion.clip import Motion
from backend.motion.skeleton import FPS, rest_positions
from backend.request import Provenance, Request, Take
from backend.server import serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from backend.library_messages import Answer, Question

STEP_SECONDS = 0.02


class FaultyGenerator:
    device = "cpu"
    model_name = "faulty"

    def answer(self, question: Question) -> Answer:
        raise BackendError("no_libraries", f"There is no library to {question.verb}.", "Add one.")

    def generate(self, request: Request, progress: Callable[[str, int, int], None] | None = None) -> list[Take]:
        assert progress
        print("a library prints to standard output")  # noqa: T201 - must not reach the wire
        os.write(1, b"even past Python\n")
        progress("text", 0, 1)
        match request.prompt:
            case "crash":
                os._exit(3)
            case "bug":
                raise ZeroDivisionError("division by zero")
            case "memory":
                raise MemoryError
            case "short" if request.count > 3:
                raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB.")
            case "unmet":
                raise BackendError("library_empty", "There is nothing to search.", "Add a clip.")
            case "hang":
                time.sleep(3600)
        for step in range(50):
            time.sleep(STEP_SECONDS)
            progress("sampling", step + 1, 50)
        return [_standing(request, request.seed + index) for index in range(request.count)]


def _standing(request: Request, seed: int) -> Take:
    positions = np.tile(rest_positions().astype(np.float32), (request.frames, 1, 1))
    rotations = np.zeros((request.frames, 22, 4), np.float32)
    rotations[..., 0] = 1
    contacts = np.ones((request.frames, 4), np.float32)
    provenance = Provenance(request.prompt, request.seconds, seed, "faulty", "0" * 64, "CC0-1.0")
    return Take(Motion(FPS, positions, rotations, positions[:, 0].copy(), contacts), provenance)


attempts = itertools.count(1)


def load(_model: str) -> FaultyGenerator:
    """Fails as often as FAULTY_LOADS says."""
    if next(attempts) <= int(os.environ.get("FAULTY_LOADS", "0")):
        raise BackendError("bad_weights", "The model is damaged.", "Install it again.")
    return FaultyGenerator()


if __name__ == "__main__":
    serve(load, float(os.environ.get("FAULTY_IDLE", "inf")))
