# SPDX-License-Identifier: GPL-3.0-or-later
"""The server in a real process: every request has one last answer, and nothing stops the next one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from serving import ROOT, Serving

from backend import protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

DOUBLE = str(ROOT / "tests/backend/double_server.py")


@pytest.fixture
def server() -> Iterator[Serving]:
    with Serving(DOUBLE) as serving:
        yield serving


def types(frames: list[protocol.Frame]) -> set[str]:
    return {frame.type for frame in frames}


def test_hello_comes_first_then_the_model_is_loaded_unasked(server: Serving) -> None:
    hello = server.next()
    assert (hello.type, hello.header["protocol"]) == ("hello", protocol.PROTOCOL)
    assert hello.header["pid"] == server.process.pid
    assert [server.next().header.get("state") for _ in range(2)] == ["loading", "ready"]


def test_a_request_brings_progress_then_its_takes_then_done(server: Serving) -> None:
    server.generate(1, "a person walks", seconds=1.5, seed=5, count=2)
    frames = [frame for frame in server.outcome(1) if frame.id == 1]
    steps = [frame.header["step"] for frame in frames if frame.header.get("stage") == "sampling"]
    assert steps == list(range(1, 51))
    takes = [protocol.parse_take(frame) for frame in frames if frame.type == "take"]
    assert [take.provenance.seed for take in takes] == [5, 6]
    assert all(take.motion.frames == 30 for take in takes)
    assert frames[-1].header["takes"] == 2
    assert frames[-1].header["seconds"]["sampling"] > 0


def test_what_libraries_print_never_reaches_the_wire(server: Serving) -> None:
    server.generate(1, "a person walks")
    server.outcome(1)
    server.close_input()
    server.process.wait(10)
    for thread in server.threads:
        thread.join(10)
    log = "".join(server.log)
    assert "a library prints to standard output" in log
    assert "even past Python" in log


def test_cancel_stops_within_one_step(server: Serving) -> None:
    server.generate(1, "a person walks")
    server.until(lambda frame: frame.header.get("stage") == "sampling")
    server.send(type="cancel", id=1)
    frames = server.outcome(1)
    assert frames[-1].type == "cancelled"
    # The step under way when the wish arrived may still tell of itself.
    assert len(frames) - 1 <= 2
    server.generate(2, "a person walks")
    assert server.outcome(2)[-1].type == "done"


def test_a_waiting_request_is_cancelled_at_once(server: Serving) -> None:
    server.generate(1, "a person walks")
    server.generate(2, "a person sits")
    server.send(type="cancel", id=2)
    assert server.outcome(2)[-1].type == "cancelled"
    assert server.outcome(1)[-1].type == "done"
    server.generate(3, "a person walks")
    assert 2 not in {frame.id for frame in server.outcome(3)}


def test_cancelling_what_is_unknown_or_over_has_no_answer(server: Serving) -> None:
    server.send(type="cancel", id=77)
    server.send(type="cancel")
    server.send(type="ping", id=1)
    assert "error" not in types(server.until(lambda frame: frame.type == "pong"))


@pytest.mark.parametrize(
    ("prompt", "code"), [("bug", "internal"), ("memory", "out_of_memory"), ("unmet", "library_empty")]
)
def test_a_failure_is_answered_and_the_next_request_works(server: Serving, prompt: str, code: str) -> None:
    server.generate(1, prompt)
    error = protocol.parse_error(server.outcome(1)[-1].header)
    assert error.code == code
    assert error.message
    assert error.remedy
    server.generate(2, "a person walks")
    assert server.outcome(2)[-1].type == "done"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"prompt": "  "}, "bad_request"),
        ({"seconds": 0}, "bad_request"),
        ({"seconds": 60}, "bad_request"),
        ({"seed": -1}, "bad_request"),
        ({"count": 1000}, "bad_request"),
        ({"prompt": None}, "bad_message"),
        ({"more": 1}, "bad_message"),
    ],
)
def test_a_bad_request_is_answered_and_the_next_one_works(server: Serving, fields: dict, code: str) -> None:
    request = {"prompt": "a person walks", "seconds": 1.0, "seed": 0, "count": 1, **fields}
    server.send(type="generate", id=1, request=request)
    assert server.outcome(1)[-1].header["code"] == code
    server.generate(2, "a person walks")
    assert server.outcome(2)[-1].type == "done"


def test_an_unknown_message_and_a_second_use_of_an_id_are_refused(server: Serving) -> None:
    server.send(type="format_disk", id=1)
    assert server.outcome(1)[-1].header["code"] == "bad_message"
    server.generate(2, "a person walks")
    server.generate(2, "a person walks")
    assert server.outcome(2)[-1].header["code"] == "bad_message"
    assert server.outcome(2)[-1].type == "done"


def test_another_protocol_is_refused_with_a_remedy(server: Serving) -> None:
    server.send(type="hello", protocol=protocol.PROTOCOL + 1)
    answer = server.until(lambda frame: frame.type == "error")[-1]
    assert answer.header["code"] == "version_mismatch"
    assert answer.header["remedy"]


def test_a_ping_is_answered_while_the_worker_is_busy(server: Serving) -> None:
    server.generate(1, "hang")
    server.until(lambda frame: frame.header.get("stage") == "text")
    time.sleep(0.3)
    server.send(type="ping", id=9)
    pong = server.until(lambda frame: frame.type == "pong", timeout=5)[-1]
    assert pong.id == 9
    assert pong.header["silent"] >= 0.3


def test_a_failed_start_is_told_and_tried_again_with_the_next_request() -> None:
    with Serving(DOUBLE, DOUBLE_LOAD_FAILURES="2") as server:
        status = server.until(lambda frame: frame.header.get("state") == "failed")[-1]
        assert (status.header["code"], status.header["remedy"]) == ("bad_weights", "Install it again.")
        server.generate(1, "a person walks")
        assert server.outcome(1)[-1].header["code"] == "bad_weights"
        server.generate(2, "a person walks")
        assert server.outcome(2)[-1].type == "done"


@pytest.mark.parametrize(
    "garbage", [b"hello?\n", b"\x00\xff\n", b'{"type":"x","arrays":[1]}\n', b"x" * (protocol.MAX_LINE + 1)]
)
def test_garbage_is_answered_with_an_error_and_an_end(server: Serving, garbage: bytes) -> None:
    server.write(garbage)
    assert server.until(lambda frame: frame.type == "error")[-1].header["code"] == "protocol"
    assert server.process.wait(10) == 1


@pytest.mark.parametrize("prompt", [None, "a person walks", "hang"])
def test_it_ends_when_its_input_closes(server: Serving, prompt: str | None) -> None:
    if prompt:
        server.generate(1, prompt)
        server.until(lambda frame: frame.header.get("stage") == "text")
    else:
        server.next()
    server.close_input()
    assert server.process.wait(5) == 0


def test_it_ends_when_its_input_closes_while_the_model_loads() -> None:
    with Serving(DOUBLE, DOUBLE_LOAD_SECONDS="60") as server:
        server.until(lambda frame: frame.header.get("state") == "loading")
        server.close_input()
        assert server.process.wait(5) == 0
