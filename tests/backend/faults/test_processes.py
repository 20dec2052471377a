# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend is killed, hangs, runs out of memory or is asked a thousand times: the next request works."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest
from serving import FAULTY, ROOT, finish, poll_until, serve_words

from backend.library_messages import Question
from backend.request import Request
from remodiffuse_blender.client import client as client_module
from remodiffuse_blender.client.client import Client, State
from remodiffuse_blender.client.command import Command, own_command
from remodiffuse_blender.client.job import Job, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from backend.text import TextEncoder

FAULTY_COMMAND = Command((sys.executable, FAULTY), ROOT)
WALK = Request("a person walks forward", 1.0)
LONG = Request("a person walks forward", 9.8, count=16)


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory, encoder: TextEncoder) -> Command:
    """The real backend with a small random model."""
    return Command((sys.executable, *serve_words(tmp_path_factory.mktemp("model") / "random", encoder)), ROOT)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def assert_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while lives(pid):
        assert time.monotonic() < deadline, f"process {pid} still lives"
        time.sleep(0.01)


MOMENTS: dict[str, Callable[[Client, Job], bool]] = {
    "start": lambda client, job: client.pid is not None,
    "loading": lambda client, job: client.state is State.LOADING,
    "retrieval": lambda client, job: job.stage in ("retrieval", "conditions"),
    "sampling": lambda client, job: job.stage == "sampling" and job.step > 3,
    "sending": lambda client, job: job.stage == "motion" and job.step == job.total,
}


@pytest.mark.fault("backend killed (kill -9)")
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment(
    client: Client, command: Command, moment: str, often: Callable[[int, int], int], record_property: Callable
) -> None:
    count = often(1, 10)
    for _ in range(count):
        if moment in ("start", "loading"):
            client.stop(wait_seconds=5)
        job = client.generate(LONG if moment != "sending" else Request(WALK.prompt, 9.8, count=8), command)
        poll_until(client, lambda job=job: MOMENTS[moment](client, job) or job.outcome is not None)
        pid = client.pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        finish(client, job)
        assert_gone(pid)
        # What was sent before the kill may be all of it.
        if job.outcome is not Outcome.DONE:
            assert job.error
            assert job.error.remedy
            assert "Killed" in job.error.message
        assert finish(client, client.generate(WALK, command)).outcome is Outcome.DONE
    record_property("figure", f"{count} kills at {moment}")


@pytest.mark.fault("backend killed (kill -9)")
def test_killed_while_nobody_waits_the_next_request_starts_another(client: Client, command: Command) -> None:
    """Nothing is awaited then, so nobody has looked: the animator must not be the one who finds out."""
    assert finish(client, client.generate(WALK, command)).outcome is Outcome.DONE
    pid = client.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert_gone(pid)
    assert finish(client, client.generate(WALK, command)).outcome is Outcome.DONE
    assert client.pid != pid


@pytest.mark.fault("backend hangs (SIGSTOP)")
def test_a_stopped_process_is_noticed_and_restarted(
    client: Client, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "PING_SECONDS", 0.1)
    job = client.generate(LONG, command)
    poll_until(client, lambda: job.stage == "sampling")
    pid = client.pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    poll_until(client, lambda: client.quiet_seconds > 1.0)
    client.stop(wait_seconds=5)  # what the offered Restart does first
    assert job.outcome is Outcome.CANCELLED
    assert_gone(pid)
    assert finish(client, client.generate(WALK, command)).outcome is Outcome.DONE


@pytest.mark.fault("backend hangs (SIGSTOP)")
def test_a_stuck_step_is_noticed_and_restarted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PING_SECONDS", 0.1)
    job = client.generate(Request("hang", 1.0), FAULTY_COMMAND)
    poll_until(client, lambda: job.stage == "text")
    poll_until(client, lambda: client.quiet_seconds > 1.0)
    client.stop(wait_seconds=5)
    assert finish(client, client.generate(WALK, FAULTY_COMMAND)).outcome is Outcome.DONE


@pytest.mark.fault("backend crashes by itself")
def test_a_crash_shows_exit_code_and_last_words(client: Client) -> None:
    job = finish(client, client.generate(Request("crash", 1.0), FAULTY_COMMAND))
    assert job.error
    assert "exit code 3" in job.error.message
    assert "even past Python" in job.error.message
    assert "Press Generate" in job.error.remedy
    assert finish(client, client.generate(WALK, FAULTY_COMMAND)).outcome is Outcome.DONE


@pytest.mark.fault("out of memory")
def test_short_memory_makes_smaller_batches_and_says_so(client: Client) -> None:
    job = finish(client, client.generate(Request("short", 1.0, seed=5, count=8), FAULTY_COMMAND))
    assert job.outcome is Outcome.DONE
    assert job.batch == 2
    assert [take.provenance.seed for take in job.takes] == list(range(5, 13))


@pytest.mark.fault("out of memory")
def test_where_not_even_one_fits_it_says_what_to_do(client: Client) -> None:
    job = finish(client, client.generate(Request("memory", 1.0, count=4), FAULTY_COMMAND))
    assert job.error
    assert job.error.code == "out_of_memory"
    assert "shorter clip" in job.error.remedy
    assert finish(client, client.generate(WALK, FAULTY_COMMAND)).outcome is Outcome.DONE


def test_takes_are_the_same_in_smaller_batches(command: Command, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What makes the retry honest: a take depends on its own seed alone."""
    from pathlib import Path

    import numpy as np

    from backend.generate import Generator
    from backend.memory import in_batches

    generator = Generator.load(Path(command.words[-1]), None, "cpu")
    wanted = Request("a person walks", 1.0, seed=3, count=3)

    def short(request: Request, progress: object) -> list:
        if request.count > 1:
            raise MemoryError
        return generator.generate(request)

    takes, batch = in_batches(short, wanted, None)
    assert batch == 1
    for one, other in zip(takes, generator.generate(wanted), strict=True):
        assert one.provenance == other.provenance
        np.testing.assert_allclose(one.motion.positions, other.motion.positions, atol=1e-4)


@pytest.mark.fault("model unloaded after idle minutes")
def test_an_idle_model_leaves_the_memory_and_comes_back(
    client: Client, command: Command, record_property: Callable
) -> None:
    idle = Command((*command.words, "--idle-minutes", "0.01"), ROOT)
    assert finish(client, client.generate(WALK, idle)).outcome is Outcome.DONE
    poll_until(client, lambda: client.state is State.IDLE)
    assert not client.awaited
    assert finish(client, client.generate(WALK, idle)).outcome is Outcome.DONE
    assert client.state is State.READY


@pytest.mark.fault("model unloaded after idle minutes")
def test_on_a_gpu_the_idle_process_ends_and_another_one_works(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTY_DEVICE", "cuda:0")
    monkeypatch.setenv("FAULTY_IDLE", "0.1")
    assert finish(client, client.generate(WALK, FAULTY_COMMAND)).outcome is Outcome.DONE
    pid = client.pid
    poll_until(client, lambda: client.pid is None)
    assert (client.state, client.error, client.awaited) == (State.IDLE, None, False)
    assert finish(client, client.generate(WALK, FAULTY_COMMAND)).outcome is Outcome.DONE
    assert client.pid != pid


LEAVES = """
import os, pathlib, runpy, sys
from backend import protocol
mark, always, faulty = sys.argv[1:]
if pathlib.Path(mark).exists() and not int(always):
    runpy.run_path(faulty, run_name="__main__")
pathlib.Path(mark).touch()
out = sys.stdout.buffer
out.write(protocol.encode(
    {"type": "hello", "protocol": protocol.PROTOCOL, "version": protocol.version(), "pid": os.getpid()}))
out.flush()
while protocol.read(sys.stdin.buffer).type != "library":
    pass
out.write(protocol.encode({"type": "status", "state": "idle"}))
"""
"""A backend that leaves just when a request and a question have come; called again, the faulty server or, if `always`,
the same."""


@pytest.mark.fault("model unloaded after idle minutes")
@pytest.mark.parametrize("always", [0, 1])
def test_what_crosses_the_end_of_an_idle_process_is_asked_once_more(
    client: Client, tmp_path: Path, always: int
) -> None:
    leaves = Command((sys.executable, "-c", LEAVES, str(tmp_path / "mark"), str(always), FAULTY), ROOT)
    job = client.generate(WALK, leaves)
    question = client.ask(Question("list"), leaves)
    finish(client, job)
    poll_until(client, lambda: question.over)
    assert question.error
    if always:
        assert (job.outcome, client.state) == (Outcome.FAILED, State.FAILED)
        assert job.error
        assert "Press Generate" in job.error.remedy
    else:
        assert job.outcome is Outcome.DONE
        assert question.error.code == "no_libraries"  # what the faulty server answers


@pytest.mark.fault("model unloaded after idle minutes")
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory of a process is read on Linux")  # noqa: PTH110
def test_an_idle_starter_model_gives_the_memory_back(client: Client, record_property: Callable) -> None:
    """Also on the processor: what the process holds falls by most of what the model and its encoder take."""
    words = (sys.executable, "-m", "backend", "serve", "--device", "cpu", "--threads", "1", "--idle-minutes", "0.02")
    command = Command(words, ROOT)
    assert finish(client, client.generate(WALK, command)).outcome is Outcome.DONE
    pid = client.pid
    assert pid
    held = _memory_of(pid)
    poll_until(client, lambda: client.state is State.IDLE)
    left = _memory_of(pid)
    assert held - left > 50e6
    assert finish(client, client.generate(WALK, command)).outcome is Outcome.DONE
    assert client.pid == pid
    record_property("figure", f"{held / 1e6:.0f} MB held, {left / 1e6:.0f} MB after unloading the starter model")


def _memory_of(pid: int | str) -> int:
    with open(f"/proc/{pid}/statm", encoding="ascii") as stream:  # noqa: PTH123
        return int(stream.read().split()[1]) * 4096


@pytest.mark.fault("1,000 generate / cancel cycles")
def test_nothing_piles_up(
    client: Client, command: Command, often: Callable[[int, int], int], record_property: Callable
) -> None:
    count = often(20, 1000)

    def descriptors(pid: int | str) -> int:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208

    def cycle(number: int) -> None:
        job = client.generate(LONG, command)
        if number % 2:
            poll_until(client, lambda: job.stage == "sampling")
        client.cancel(job)
        assert finish(client, job).outcome is Outcome.CANCELLED

    for number in range(10):
        cycle(number)
    assert finish(client, client.generate(WALK, command)).outcome is Outcome.DONE
    pids = ("self", str(client.pid))
    before = [(descriptors(pid), _memory_of(pid)) for pid in pids]
    for number in range(count):
        cycle(number)
    assert finish(client, client.generate(WALK, command)).outcome is Outcome.DONE
    after = [(descriptors(pid), _memory_of(pid)) for pid in pids]
    assert str(client.pid) == pids[1]
    for (files, held), (files_then, held_then) in zip(before, after, strict=True):
        assert files == files_then
        assert held_then - held < 20e6
    growth = ", ".join(f"{(then[1] - first[1]) / 1e6:+.1f} MB" for first, then in zip(before, after, strict=True))
    record_property("figure", f"{count} cycles: client and backend grew by {growth}, same process, same descriptors")


@pytest.mark.fault("several Blenders")
def test_several_clients_have_a_process_each(command: Command) -> None:
    clients = [Client() for _ in range(3)]
    try:
        jobs = [(each, each.generate(WALK, command)) for each in clients]
        for each, job in jobs:
            assert finish(each, job).outcome is Outcome.DONE
        assert len({each.pid for each in clients}) == 3
        clients[0].stop(wait_seconds=5)
        assert finish(clients[1], clients[1].generate(WALK, command)).outcome is Outcome.DONE
    finally:
        for each in clients:
            each.stop(wait_seconds=5)


@pytest.mark.fault("wrapper command killed with all it started")
def test_a_wrapper_takes_its_children_along(client: Client) -> None:
    wrapped = own_command(f"sh -c '{sys.executable} {FAULTY}; true'")
    assert finish(client, client.generate(WALK, wrapped)).outcome is Outcome.DONE
    log = [line for line in os.listdir("/proc") if line.isdigit()]  # noqa: PTH208
    children = [pid for pid in log if _parent_of(pid) == client.pid]
    assert children
    client.stop(wait_seconds=5)
    for pid in children:
        assert_gone(int(pid))


def _parent_of(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stream:  # noqa: PTH123
            return int(stream.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0
