# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames and messages: what is written can be read, and nothing else can."""

from __future__ import annotations

import io
import json
import tracemalloc
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from backend import protocol
from backend.errors import BackendError
from backend.motion.clip import Motion
from backend.motion.skeleton import rest_positions
from backend.request import Provenance, Reference, Request, Take

FRAMES = 24
TAKE = Take(
    Motion(
        fps=20.0,
        positions=np.tile(rest_positions().astype(np.float32), (FRAMES, 1, 1)),
        rotations=np.tile(np.array([1, 0, 0, 0], np.float32), (FRAMES, 22, 1)),
        root=np.linspace(0, 1, FRAMES * 3, dtype=np.float32).reshape(FRAMES, 3),
        contacts=np.ones((FRAMES, 4), np.float32),
    ),
    Provenance(
        prompt="a person bows 鞠躬",
        seconds=1.2,
        seed=7,
        model="starter",
        model_hash="ab" * 32,
        licence="CC0-1.0",
        sampler={"steps": 50},
        references=(Reference("starter", 3, "a person bows", 0.75, 40, "our own model", "CC0-1.0"),),
    ),
)
TAKE_BYTES = protocol.encode_take(5, 0, TAKE)
GENERATE_BYTES = protocol.encode(protocol.generate_header(1, Request("a person walks", 4.0, 3, 2)))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


def read_all(data: bytes) -> list[protocol.Frame]:
    stream = io.BytesIO(data)
    frames = []
    while (frame := protocol.read(stream)) is not None:
        frames.append(frame)
    return frames


@given(
    st.dictionaries(st.text().filter(lambda name: name not in {"type", "id", "arrays"}), json_values, max_size=5),
    st.dictionaries(
        st.text(max_size=10),
        arrays_of.arrays(
            st.sampled_from([np.float32, np.int32, np.uint8]),
            arrays_of.array_shapes(min_dims=0, min_side=0, max_dims=4),
        ),
        max_size=4,
    ),
)
def test_what_is_written_can_be_read(fields: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    frames = read_all(protocol.encode({"type": "any", "id": 4, **fields}, arrays) * 2)
    assert len(frames) == 2
    for frame in frames:
        assert frame.header == {"type": "any", "id": 4, **fields}
        assert frame.arrays.keys() == arrays.keys()
        for name, array in arrays.items():
            assert frame.arrays[name].dtype == array.dtype
            np.testing.assert_array_equal(frame.arrays[name], array)


def test_a_take_arrives_as_it_was_sent() -> None:
    (frame,) = read_all(TAKE_BYTES)
    take = protocol.parse_take(frame)
    assert take.provenance == TAKE.provenance
    assert take.motion.fps == 20.0
    for name in ("positions", "rotations", "root", "contacts"):
        np.testing.assert_array_equal(getattr(take.motion, name), getattr(TAKE.motion, name))


def test_a_request_arrives_as_it_was_sent() -> None:
    (frame,) = read_all(GENERATE_BYTES)
    assert frame.id == 1
    assert protocol.parse_request(frame) == Request("a person walks", 4.0, 3, 2)


def test_an_error_arrives_with_its_remedy() -> None:
    sent = BackendError("library_empty", "There is nothing to search.", "Add a clip.")
    (frame,) = read_all(protocol.encode(protocol.error_header(3, sent)))
    got = protocol.parse_error(frame.header)
    assert (frame.id, got.code, got.message, got.remedy) == (3, sent.code, sent.message, sent.remedy)


BAD_LINES = {
    "no JSON": b"Traceback (most recent call last):\n",
    "no UTF-8": b'{"type":"\xff"}\n',
    "no object": b"[1]\n",
    "no type": b'{"kind":"hello"}\n',
    "type is no word": b'{"type":3}\n',
    "NaN": b'{"type":"x","y":NaN}\n',
    "id is no number": b'{"type":"x","id":"1"}\n',
    "id is a truth": b'{"type":"x","id":true}\n',
    "id below zero": b'{"type":"x","id":-1}\n',
    "no end of line": b'{"type":"x"}',
    "too deep": b'{"type":"x","y":' + b"[" * 200_000 + b"\n",
    "endless line": b'{"type":"' + b"x" * protocol.MAX_LINE + b'"}\n',
    "endless number": b'{"type":"x","y":' + b"9" * 10_000 + b"}\n",
    "arrays are no list": b'{"type":"x","arrays":{}}\n',
    "array without shape": b'{"type":"x","arrays":[{"name":"a","dtype":"uint8"}]}\n',
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_refused(line: bytes) -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.read(io.BytesIO(line))


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [
        ("float32", [1 << 40]),
        ("float32", [protocol.MAX_PAYLOAD // 4 + 1]),
        ("float32", [1 << 20] * 8),
        ("uint8", [0, 1 << 26, 1 << 26, 1 << 26]),
        ("uint8", [-1]),
        ("uint8", [True]),
        ("uint8", [1.0]),
        ("uint8", [1] * 9),
        ("uint8", "11"),
        ("object", [1]),
        ("O", [1]),
        (["uint8"], [1]),
    ],
)
def test_an_impossible_array_is_refused_before_memory_is_taken(dtype: object, shape: object) -> None:
    line = json.dumps({"type": "x", "arrays": [{"name": "a", "dtype": dtype, "shape": shape}]}).encode() + b"\n"
    tracemalloc.start()
    try:
        with pytest.raises(protocol.ProtocolError):
            protocol.read(io.BytesIO(line + b"\0" * 64))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_the_sum_of_all_arrays_is_bounded() -> None:
    half = {"dtype": "uint8", "shape": [protocol.MAX_PAYLOAD // 2 + 1]}
    line = json.dumps({"type": "x", "arrays": [{"name": name, **half} for name in "ab"]}).encode() + b"\n"
    with pytest.raises(protocol.ProtocolError, match="larger"):
        protocol.read(io.BytesIO(line))


@pytest.mark.parametrize("frame", [TAKE_BYTES, GENERATE_BYTES], ids=["take", "generate"])
def test_a_truncated_frame_is_refused_wherever_it_is_cut(frame: bytes) -> None:
    cuts = [*range(1, min(len(frame), 2000)), len(frame) - 1]
    for cut in cuts:
        if cut < len(frame):
            with pytest.raises(protocol.ProtocolError):
                protocol.read(io.BytesIO(frame[:cut]))


def survives(data: bytes) -> None:
    """Reads and parses like both sides do: either it is a message, or a `ProtocolError` or `BackendError` says why."""
    stream = io.BytesIO(data)
    try:
        while (frame := protocol.read(stream)) is not None:
            for parse in (protocol.parse_request, protocol.parse_take):
                try:
                    parse(frame)
                except (protocol.ProtocolError, BackendError):
                    continue
    except protocol.ProtocolError:
        return


@settings(max_examples=500, deadline=timedelta(seconds=1))
@given(st.binary(max_size=300))
def test_garbage_never_does_harm(data: bytes) -> None:
    survives(data)
    survives(data + b"\n")


@settings(max_examples=300, deadline=timedelta(seconds=1))
@given(st.sampled_from([TAKE_BYTES, GENERATE_BYTES]), st.data())
def test_a_damaged_frame_never_does_harm(frame: bytes, data: st.DataObject) -> None:
    damaged = bytearray(frame)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, min(len(frame), 1200) - 1))] = data.draw(st.integers(0, 255))
    survives(bytes(damaged))


@settings(max_examples=100, deadline=timedelta(seconds=1))
@given(
    st.dictionaries(st.sampled_from(["request", "fps", "provenance", "arrays", "id", "type"]), json_values), json_values
)
def test_a_wrong_message_never_does_harm(fields: dict[str, Any], value: object) -> None:
    (good,) = read_all(TAKE_BYTES)
    for header in (
        {"type": "x", **fields},
        {"type": "generate", "request": {"prompt": "a", "seconds": value, "seed": value, "count": value}},
        {**good.header, "provenance": {**good.header["provenance"], "references": [value], "seed": value}},
    ):
        survives(json.dumps(header).encode() + b"\n")


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": 3},
        {"seconds": "4"},
        {"seconds": 10**400},
        {"seed": 1.5},
        {"count": True},
        {"path": "/etc/passwd"},
    ],
)
def test_a_request_with_a_wrong_field_is_refused(fields: dict[str, Any]) -> None:
    request = {"prompt": "a person walks", "seconds": 4.0, "seed": 0, "count": 1, "quality": "full", **fields}
    with pytest.raises(protocol.ProtocolError):
        protocol.parse_request(protocol.Frame({"type": "generate", "id": 1, "request": request}))


@pytest.mark.parametrize("name", ["positions", "rotations", "root", "contacts"])
@pytest.mark.parametrize("damage", ["missing", "longer", "not finite", "integers"])
def test_a_take_with_a_wrong_array_is_refused(name: str, damage: str) -> None:
    (frame,) = read_all(TAKE_BYTES)
    array = frame.arrays.pop(name)
    if damage == "longer":
        frame.arrays[name] = np.concatenate([array, array[:1]])
    elif damage == "not finite":
        array.flat[3] = np.nan
        frame.arrays[name] = array
    elif damage == "integers":
        frame.arrays[name] = array.astype(np.int32)
    with pytest.raises(protocol.ProtocolError):
        protocol.parse_take(frame)


def test_a_frame_too_large_is_not_sent() -> None:
    with pytest.raises(ValueError, match="too large"):
        protocol.encode({"type": "x"}, {"a": np.zeros(protocol.MAX_PAYLOAD + 1, np.uint8)})
