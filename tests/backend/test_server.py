# SPDX-License-Identifier: GPL-3.0-or-later
"""The server in a real process: every request has one last answer, and nothing stops the next one."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from serving import FAULTY, STEPS, Serving, serve_words

from backend import protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.text import TextEncoder

WALK = "a person walks forward"


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory, encoder: TextEncoder) -> tuple[str, ...]:
    return serve_words(tmp_path_factory.mktemp("model") / "random", encoder)


@pytest.fixture(scope="module")
def server(words: tuple[str, ...]) -> Iterator[Serving]:
    """One process for all tests that leave it as it was."""
    with Serving(*words) as serving:
        serving.until(lambda frame: frame.header.get("state") == "ready")
        yield serving


@pytest.fixture
def fresh(words: tuple[str, ...]) -> Iterator[Serving]:
    with Serving(*words) as serving:
        yield serving


@pytest.fixture
def faulty() -> Iterator[Serving]:
    with Serving(FAULTY) as serving:
        yield serving


numbers = iter(range(1, 1_000_000))


def works(server: Serving) -> None:
    number = next(numbers)
    server.generate(number, WALK)
    assert server.outcome(number)[-1].type == "done"


def test_hello_comes_first_then_the_model_is_loaded_unasked(fresh: Serving) -> None:
    hello = fresh.next()
    assert (hello.type, hello.header["protocol"]) == ("hello", protocol.PROTOCOL)
    assert hello.header["pid"] == fresh.process.pid
    loading, ready = fresh.next().header, fresh.next().header
    assert loading["state"] == "loading"
    assert (ready["state"], ready["device"], ready["model"]) == ("ready", "cpu", "random")


def test_a_request_brings_progress_then_its_takes_then_done(server: Serving) -> None:
    number = next(numbers)
    server.generate(number, WALK, seconds=1.5, seed=5, count=2)
    frames = server.outcome(number)
    steps = [frame.header["step"] for frame in frames if frame.header.get("stage") == "sampling"]
    assert steps[-1] == STEPS
    assert steps == sorted(steps)
    takes = [protocol.parse_take(frame) for frame in frames if frame.type == "take"]
    assert [take.provenance.seed for take in takes] == [5, 6]
    assert all(take.motion.frames == 30 for take in takes)
    assert all(take.provenance.references for take in takes)
    done = frames[-1].header
    assert (done["type"], done["takes"]) == ("done", 2)
    assert done["seconds"]["sampling"] > 0


def test_cancel_stops_within_one_step(server: Serving) -> None:
    number = next(numbers)
    server.generate(number, WALK, seconds=9.8, count=16)
    server.until(lambda frame: frame.header.get("stage") == "sampling")
    server.send(type="cancel", id=number)
    frames = server.outcome(number)
    assert frames[-1].type == "cancelled"
    assert not [frame for frame in frames if frame.type == "take"]
    # Steps may pass while the wish is on its way; more than a few would mean that it is not heeded.
    assert len(frames) - 1 <= STEPS // 5
    works(server)


def test_a_waiting_request_is_cancelled_at_once(server: Serving) -> None:
    running, waiting = next(numbers), next(numbers)
    server.generate(running, WALK, seconds=9.8, count=8)
    server.generate(waiting, WALK)
    server.send(type="cancel", id=waiting)
    frames = server.outcome(waiting)
    assert frames[-1].type == "cancelled"
    assert "done" not in {frame.type for frame in frames}
    assert server.outcome(running)[-1].type == "done"
    works(server)


def test_cancelling_what_is_unknown_or_over_has_no_answer(server: Serving) -> None:
    server.send(type="cancel", id=1_000_000)
    server.send(type="cancel")
    server.send(type="ping", id=1)
    assert [frame.type for frame in server.until(lambda frame: frame.type == "pong")] == ["pong"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"prompt": "  "}, "bad_request"),
        ({"seconds": 0}, "bad_request"),
        ({"seconds": 60}, "bad_request"),
        ({"seed": -1}, "bad_request"),
        ({"count": 1000}, "bad_request"),
        ({"quality": "best"}, "bad_request"),
        ({"prompt": None}, "bad_message"),
        ({"more": 1}, "bad_message"),
    ],
)
def test_a_bad_request_is_answered_and_the_next_one_works(server: Serving, fields: dict, code: str) -> None:
    number = next(numbers)
    request = {"prompt": WALK, "seconds": 1.0, "seed": 0, "count": 1, "quality": "full", **fields}
    server.send(type="generate", id=number, request=request)
    error = server.outcome(number)[-1].header
    assert error["code"] == code
    assert error["remedy"]
    works(server)


def test_an_unknown_message_and_a_second_use_of_an_id_are_refused(server: Serving) -> None:
    unknown, twice = next(numbers), next(numbers)
    server.send(type="format_disk", id=unknown)
    assert server.outcome(unknown)[-1].header["code"] == "bad_message"
    server.generate(twice, WALK)
    server.generate(twice, WALK)
    assert {server.outcome(twice)[-1].type for _ in range(2)} == {"error", "done"}


def test_another_protocol_is_refused_with_a_remedy(server: Serving) -> None:
    server.send(type="hello", protocol=protocol.PROTOCOL + 1)
    answer = server.until(lambda frame: frame.type == "error")[-1]
    assert answer.header["code"] == "version_mismatch"
    assert answer.header["remedy"]


def test_a_model_that_is_missing_is_told_and_tried_again_once_it_is_there(words: tuple[str, ...]) -> None:
    *rest, folder = words
    away = f"{folder}-away"
    os.rename(folder, away)  # noqa: PTH104 - the words are strings
    try:
        with Serving(*rest, folder) as server:
            status = server.until(lambda frame: frame.header.get("state") == "failed")[-1].header
            assert status["remedy"]
            server.generate(1, WALK)
            assert server.outcome(1)[-1].header["code"] == status["code"]
            os.rename(away, folder)  # noqa: PTH104
            server.generate(2, WALK)
            assert server.outcome(2)[-1].type == "done"
    finally:
        if not os.path.exists(folder):  # noqa: PTH110
            os.rename(away, folder)  # noqa: PTH104


@pytest.mark.parametrize(
    "garbage",
    [b"hello?\n", b"\x00\xff\n", b'{"type":"x","arrays":[1]}\n', b"x" * (protocol.MAX_LINE + 1)],
    ids=["words", "bytes", "arrays", "endless"],
)
def test_garbage_is_answered_with_an_error_and_an_end(fresh: Serving, garbage: bytes) -> None:
    fresh.write(garbage)
    assert fresh.until(lambda frame: frame.type == "error")[-1].header["code"] == "protocol"
    assert fresh.process.wait(10) == 1


@pytest.mark.parametrize("state", ["starting", "loading", "sampling"])
def test_it_ends_when_its_input_closes(fresh: Serving, state: str) -> None:
    if state != "starting":
        fresh.generate(1, WALK, seconds=9.8, count=16)
        fresh.until(lambda frame: state in frame.header.values())
    fresh.close_input()
    assert fresh.process.wait(20) == 0


# With a generator that fails on command.


@pytest.mark.parametrize(
    ("prompt", "code"), [("bug", "internal"), ("memory", "out_of_memory"), ("unmet", "library_empty")]
)
def test_a_failure_is_answered_and_the_next_request_works(faulty: Serving, prompt: str, code: str) -> None:
    number = next(numbers)
    faulty.generate(number, prompt)
    error = protocol.parse_error(faulty.outcome(number)[-1].header)
    assert error.code == code
    assert error.message
    assert error.remedy
    works(faulty)


def test_what_libraries_print_never_reaches_the_wire(faulty: Serving) -> None:
    works(faulty)
    faulty.close_input()
    faulty.process.wait(10)
    for thread in faulty.threads:
        thread.join(10)
    log = "".join(faulty.log)
    assert "a library prints to standard output" in log
    assert "even past Python" in log


def test_a_ping_is_answered_while_the_worker_hangs_and_the_end_comes_all_the_same(faulty: Serving) -> None:
    faulty.generate(1, "hang")
    faulty.until(lambda frame: frame.header.get("stage") == "text")
    time.sleep(0.3)
    faulty.send(type="ping", id=9)
    pong = faulty.until(lambda frame: frame.type == "pong", timeout=5)[-1]
    assert pong.id == 9
    assert pong.header["silent"] >= 0.3
    faulty.close_input()
    assert faulty.process.wait(10) == 0
