# SPDX-License-Identifier: GPL-3.0-or-later
"""Garbage, truncated, oversized, out-of-order and duplicate frames, in both directions, by the hundred thousand."""

from __future__ import annotations

import contextlib
import io
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hunger import measured
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from backend import protocol
from backend.errors import BackendError
from backend.library_messages import Answer, Question
from backend.motion.clip import Motion
from backend.motion.skeleton import rest_positions
from backend.request import Provenance, Request, Take
from backend.server import Server
from remodiffuse_blender.client.client import Client, State
from remodiffuse_blender.client.command import Command
from remodiffuse_blender.client.process import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks of memory are read on Linux")

FULL = os.environ.get("REMODIFFUSE_FAULTS") == "full"
EXAMPLES = 4_000 if FULL else 200
MOST_MEMORY = 256 << 20
MOST_SECONDS = 5.0


def _take(frames: int = 16) -> Take:
    motion = Motion(
        20.0,
        np.tile(rest_positions().astype(np.float32), (frames, 1, 1)),
        np.tile(np.array([1, 0, 0, 0], np.float32), (frames, 22, 1)),
        np.zeros((frames, 3), np.float32),
        np.ones((frames, 4), np.float32),
    )
    return Take(motion, Provenance("walk", 0.8, 0, "fuzz", "0" * 64, "CC0-1.0"))


HELLO = protocol.encode({"type": "hello", "protocol": protocol.PROTOCOL, "version": "0.1.0", "pid": 1})
TO_SERVER = [
    HELLO,
    *(protocol.encode(protocol.generate_header(number, Request("walk", 1.0, 0, 2))) for number in (1, 2, 3)),
    protocol.encode(protocol.generate_header(4, Request("walk", 1.0), "starter")),
    protocol.encode({"type": "cancel", "id": 1}),
    protocol.encode({"type": "cancel", "id": 7}),
    protocol.encode({"type": "ping", "id": 1}),
    protocol.encode({"type": "models"}),
]
TO_CLIENT = [
    HELLO,
    protocol.encode({"type": "status", "state": "loading"}),
    protocol.encode({"type": "status", "state": "ready", "device": "cpu", "model": "fuzz", "memory": 5}),
    protocol.encode({"type": "status", "state": "idle"}),
    protocol.encode({"type": "models", "models": []}),
    protocol.encode({"type": "pong", "silent": 0.5}),
    protocol.encode({"type": "progress", "id": 1, "stage": "sampling", "step": 1, "total": 50}),
    protocol.encode_take(1, 0, _take()),
    protocol.encode_take(1, 1, _take()),
    protocol.encode_take(2, 0, _take()),
    protocol.encode({"type": "done", "id": 1, "takes": 2, "seconds": {"sampling": 0.1}}),
    protocol.encode({"type": "cancelled", "id": 2}),
    protocol.encode(protocol.error_header(2, BackendError("x", "Something.", "Something else."))),
    protocol.encode(
        {**protocol.error_header(None, BackendError("x", "A.", "B.")), "type": "status", "state": "failed"}
    ),
]
SPITEFUL = [
    b"",
    b"\n",
    b"{}\n",
    b"[[[[" * 1000 + b"\n",
    b'{"type":1}\n',
    b'{"type":"hello","protocol":1e999}\n',
    b'{"type":"generate","id":99999999999999999999,"request":{}}\n',
    b'{"type":"take","id":1,"arrays":[{"name":"positions","dtype":"float32","shape":[67108864,67108864]}]}\n',
    b'{"type":"take","id":1,"arrays":[{"name":"positions","dtype":"float32","shape":[16777216]}]}\n',
    b'{"type":"take","id":1,"arrays":[{"name":"positions","dtype":"object","shape":[1]}]}\n',
    b'{"type":"take","id":1,"arrays":[{"name":"a","dtype":"uint8","shape":[0,67108864,0]}]}\n',
    b'{"type":"progress","id":1,"stage":"x","step":-1,"total":0}\n',
    b'{"type":"pong","silent":' + b"9" * 400 + b"}\n",
    b'{"type":"done","id":1,"takes":0,"seconds":[],"batch":1e3}\n',
    b"\x80\x04\x95\x00pickle.\n",
    b"x" * (protocol.MAX_LINE + 2),
]


FIELDS = ["type", "id", "state", "stage", "step", "total", "arrays", "request", "protocol", "index", "models"]
WORDS = ["take", "done", "ready", "generate", "error", "cancel"]


def streams(good: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    """Up to forty frames: good ones in any order and number, some cut, flipped, filled up or replaced."""
    whole = st.sampled_from(good)
    changed = st.builds(_changed, whole, st.integers(0, 1 << 16), st.integers(0, 255), st.sampled_from("cfid"))
    noise = st.binary(max_size=60).map(lambda data: data + b"\n")
    fields = st.dictionaries(
        st.sampled_from(FIELDS),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
        | st.lists(st.integers(), max_size=3) | st.sampled_from(WORDS),
        max_size=6,
    )  # fmt: skip
    strange = fields.map(lambda header: protocol.json.dumps(header).encode() + b"\n")
    # Mostly good frames: the first bad one ends a conversation, and what comes after it is never read.
    return st.lists(
        st.one_of(whole, whole, whole, whole, strange, changed, noise, st.sampled_from(SPITEFUL)),
        min_size=20,
        max_size=40,
    )


def _changed(frame: bytes, place: int, byte: int, how: str) -> bytes:
    place %= max(len(frame), 1)
    if how == "c":
        return frame[:place]
    if how == "f":
        return frame[:place] + bytes([frame[place] ^ (byte or 1)]) + frame[place + 1 :]
    return frame[:place] + bytes([byte]) + frame[place + (how == "d") :]


class Meter:
    """Counts frames, and the time and the memory beyond what was held before that the worst stream took."""

    def __init__(self) -> None:
        self.frames, self.read, self.longest, self.memory = 0, 0, 0.0, 0

    @contextlib.contextmanager
    def stream(self) -> Iterator[None]:
        # Of the processor: on a busy machine the clock on the wall says nothing about us.
        started = time.process_time()
        with measured() as peak:
            yield
        self.longest = max(self.longest, time.process_time() - started)
        self.memory = max(self.memory, peak.bytes)

    def __str__(self) -> str:
        return (
            f"{self.frames} frames, {self.read} of them answered or read before an end, slowest stream "
            f"{self.longest:.2f} s, hungriest {self.memory / 1e6:.0f} MB"
        )


class Instant:
    device = "cpu"
    model_name = "fuzz"

    def answer(self, question: Question) -> Answer:
        return Answer((), clip=question.clip, motion=question.motion)

    def generate(self, request: Request, progress: Any = None) -> list[Take]:  # noqa: ANN401
        return [_take() for _ in range(request.count)]


def serve(data: bytes) -> list[protocol.Frame]:
    """What the server answers to a stream; it must be well-formed whatever came."""
    out = io.BytesIO()
    Server(io.BytesIO(data), out, lambda _: Instant(), models=lambda: []).run()
    out.seek(0)
    answers = []
    while (frame := protocol.read(out)) is not None:
        answers.append(frame)
    return answers


class Fed:
    """In place of the client's process: the frames of a stream, then its end."""

    def __init__(self, data: bytes) -> None:
        self._stream: io.BytesIO | None = io.BytesIO(data)
        self.log, self.pid, self.lives, self.read = [], 1, True, 0

    def send(self, data: bytes) -> None: ...

    def kill(self, wait_seconds: float = 0.0) -> None: ...

    def receive(self) -> protocol.Frame | Ended | None:
        if self._stream is None:
            return None
        try:
            if (frame := protocol.read(self._stream)) is not None:
                self.read += 1
                return frame
            garbage = None
        except protocol.ProtocolError as error:
            garbage = str(error)
        self._stream = None
        return Ended(0, garbage)


def fuzz(meter: Meter, good: list[bytes], check: Callable[[bytes], int]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        derandomize=not FULL,
    )
    @given(streams(good))
    def run(stream: list[bytes]) -> None:
        with meter.stream():
            meter.read += check(b"".join(stream))
        meter.frames += len(stream)

    run()
    assert meter.longest < MOST_SECONDS
    assert meter.memory < MOST_MEMORY
    assert meter.frames >= (100_000 if FULL else 1_000)


@pytest.mark.fault("bad frames to the backend")
def test_the_server_survives_any_stream(record_property: Callable) -> None:
    meter = Meter()

    def check(data: bytes) -> int:
        answers = serve(data)
        assert answers[0].type == "hello"
        for answer in answers:
            if answer.type == "error":
                assert protocol.parse_error(answer.header).remedy
        # What can still be told apart is answered: one last answer for every request that was accepted.
        return len(answers)

    fuzz(meter, TO_SERVER, check)
    record_property("figure", f"{meter}")
    good = serve(b"".join(TO_SERVER[:2]))
    assert good[0].type == "hello"


@pytest.mark.fault("bad frames to the add-on")
def test_the_client_survives_any_stream(record_property: Callable) -> None:
    meter = Meter()

    def check(data: bytes) -> int:
        client = Client()
        fed = Fed(HELLO + data)
        client._process, client._command = fed, Command(("fed",), Path())  # pyright: ignore
        client.state, client._started, client._heard = State.STARTING, time.monotonic(), time.monotonic()
        jobs = [client.generate(Request("walk", 0.8, 0, 2), client._command) for _ in range(2)]  # pyright: ignore
        while client.poll(1.0):
            pass
        # The stream has ended: so has every request, with a remedy where it failed.
        for job in jobs:
            assert job.outcome is not None
            if job.error:
                assert job.error.remedy
            for take in job.takes:
                assert np.isfinite(take.motion.positions).all()
        assert client.pid is None
        assert client.error
        assert client.error.remedy
        return fed.read

    fuzz(meter, TO_CLIENT, check)
    record_property("figure", f"{meter}")
