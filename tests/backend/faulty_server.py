# SPDX-License-Identifier: GPL-3.0-or-later
"""The real server with a generator that fails on command: what no real one can be asked to do.

The prompt names the fault; any other prompt takes fifty slow steps and gives takes of a standing figure. "wire: KIND"
puts bad bytes on the wire while the request is sampled, as `bad_bytes` knows them.
"""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backend import protocol
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
    device = os.environ.get("FAULTY_DEVICE", "cpu")
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
            case wire if wire.startswith("wire: "):
                os.write(WIRE, bad_bytes(wire.removeprefix("wire: "), _standing(request, request.seed)))
                if wire == "wire: truncated":
                    os._exit(0)
        for step in range(50):
            time.sleep(STEP_SECONDS)
            progress("sampling", step + 1, 50)
        return [_standing(request, request.seed + index) for index in range(request.count)]


def bad_bytes(kind: str, take: Take) -> bytes:
    """What no honest backend sends; the request that is on its way has number 1."""
    good = protocol.encode_take(1, 0, take)
    broken = replace(take, motion=replace(take.motion, positions=take.motion.positions * np.nan))
    return {
        "garbage": b"\x00\xff garbage\n",
        "truncated": good[: len(good) // 2],
        "long line": b"x" * (protocol.MAX_LINE + 2),
        "large array": b'{"type":"take","id":1,"arrays":[{"name":"a","dtype":"float32","shape":[16777217]}]}\n',
        "out of order": protocol.encode_take(1, 1, take),
        "duplicate": good + good,
        "early end": protocol.encode({"type": "done", "id": 1, "takes": 1, "seconds": {}}),
        "not finite": protocol.encode_take(1, 0, broken),
        "unknown message": protocol.encode({"type": "exec", "id": 1}),
        "another protocol": protocol.encode({"type": "hello", "protocol": 99, "version": "9.9", "pid": 1}),
    }[kind]


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


# The server takes standard output for itself.
WIRE = os.dup(1)

if __name__ == "__main__":
    serve(load, float(os.environ.get("FAULTY_IDLE", "inf")))
