# SPDX-License-Identifier: GPL-3.0-or-later
"""A server over the real wire with a generator whose behaviour the prompt commands."""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING

import numpy as np

from backend.errors import BackendError
from backend.motion.clip import Motion
from backend.motion.skeleton import FPS, rest_positions
from backend.request import Provenance, Reference, Request, Take
from backend.server import serve

if TYPE_CHECKING:
    from collections.abc import Callable

STEP_SECONDS = 0.02


class Generator:
    device = "cpu"
    model_name = "double"

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
            case "unmet":
                raise BackendError("library_empty", "There is nothing to search.", "Add a clip.")
            case "hang":
                time.sleep(3600)
        for step in range(50):
            time.sleep(STEP_SECONDS)
            progress("sampling", step + 1, 50)
        return [self._take(request, request.seed + index) for index in range(request.count)]

    def _take(self, request: Request, seed: int) -> Take:
        rng = np.random.default_rng(seed)
        root = np.zeros((request.frames, 3), np.float32)
        root[:, 2] = np.linspace(0, 1 + rng.random(), request.frames)
        positions = rest_positions().astype(np.float32) + root[:, None]
        rotations = np.zeros((request.frames, 22, 4), np.float32)
        rotations[..., 0] = 1
        contacts = np.ones((request.frames, 4), np.float32)
        references = (Reference("double", 1, "a person stands", 0.5, 40, "nobody", "CC0-1.0"),)
        return Take(
            Motion(FPS, positions, rotations, positions[:, 0].copy(), contacts),
            Provenance(request.prompt, request.seconds, seed, "double", "0" * 64, "CC0-1.0", {"steps": 50}, references),
        )


attempts = itertools.count(1)


def load() -> Generator:
    time.sleep(float(os.environ.get("DOUBLE_LOAD_SECONDS", "0")))
    if next(attempts) <= int(os.environ.get("DOUBLE_LOAD_FAILURES", "0")):
        raise BackendError("bad_weights", "The model is damaged.", "Install it again.")
    return Generator()


if __name__ == "__main__":
    serve(load)
