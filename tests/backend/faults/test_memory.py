# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that is really short: the system refuses the backend more than a limit, and lifts it again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from serving import ROOT, finish

from backend.request import Request
from remodiffuse_blender.client.command import Command
from remodiffuse_blender.client.job import Job, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from remodiffuse_blender.client.client import Client

if sys.platform == "linux":
    from resource import RLIM_INFINITY, RLIMIT_AS, prlimit
else:
    pytest.skip("the memory of another process is limited on Linux only", allow_module_level=True)

LITTLE = Request("a person walks forward", 1.0)
MUCH = Request("a person walks forward", 9.8, seed=3, count=16)
fault = pytest.mark.fault("out of memory")


@pytest.fixture
def command(wide_model: Path) -> Command:
    words = ("-m", "backend", "serve", "--device", "cpu", "--threads", "1", "--model", str(wide_model))
    return Command((sys.executable, *words), ROOT)


@pytest.fixture
def client(client: Client, command: Command) -> Client:
    """With the backend running."""
    assert ask(client, command, LITTLE).outcome is Outcome.DONE
    return client


def ask(client: Client, command: Command, request: Request) -> Job:
    return finish(client, client.generate(request, command), timeout=120)


def limit(client: Client, beyond: float) -> None:
    """So many bytes may the backend map beyond what it has now."""
    status = Path(f"/proc/{client.server_pid}/status").read_text()
    held = int(status.split("VmSize:")[1].split()[0]) * 1024
    prlimit(client.server_pid, RLIMIT_AS, (int(held + beyond), RLIM_INFINITY))


def lift(client: Client) -> None:
    prlimit(client.server_pid, RLIMIT_AS, (RLIM_INFINITY, RLIM_INFINITY))


@fault
def test_where_memory_is_short_the_same_takes_come_in_smaller_batches(
    client: Client, command: Command, often: Callable, record_property: Callable
) -> None:
    batches = {}
    for megabytes in often([40], range(0, 161, 20)):
        limit(client, megabytes * 1e6)
        job = ask(client, command, MUCH)
        if job.outcome is Outcome.DONE:
            assert [take.provenance.seed for take in job.takes] == list(range(3, 19))
            batches[megabytes] = job.batch
        else:
            assert job.error
            assert job.error.code == "out_of_memory"
            batches[megabytes] = 0
        lift(client)
        assert ask(client, command, LITTLE).outcome is Outcome.DONE
    assert 0 < min(filter(None, batches.values())) < MUCH.count
    told = ", ".join(f"{batch} with {megabytes} MB" for megabytes, batch in batches.items())
    record_property("figure", f"takes at once: {told}")


@fault
def test_where_not_even_one_fits_it_says_what_to_ask_for_and_goes_on_later(client: Client, command: Command) -> None:
    pid = client.server_pid
    limit(client, -1e8)
    job = ask(client, command, MUCH)
    assert job.outcome is Outcome.FAILED
    assert job.error
    assert job.error.code == "out_of_memory"
    assert "shorter clip" in job.error.remedy
    lift(client)
    # A new process: in the old one oneDNN would go on saying that memory is short.
    assert ask(client, command, MUCH).outcome is Outcome.DONE
    assert client.server_pid != pid
