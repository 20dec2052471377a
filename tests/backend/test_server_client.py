# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's client against a backend in a real process: whatever happens to it, the next request works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from serving import FAULTY, ROOT, finish, poll_until, serve_words

from backend.errors import BackendError
from backend.request import Request
from remodiffuse_blender.client import client as client_module
from remodiffuse_blender.client.client import Client, State
from remodiffuse_blender.client.command import Command, backend_command, split
from remodiffuse_blender.client.job import Job, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from backend.text import TextEncoder

FAULTY_COMMAND = Command((sys.executable, FAULTY), ROOT)
WALK = Request("a person walks forward", 1.0)
LONG = Request("a person walks forward", 9.8, count=16)


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory, encoder: TextEncoder) -> Command:
    """The real backend with a small random model."""
    return Command((sys.executable, *serve_words(tmp_path_factory.mktemp("model") / "random", encoder)), ROOT)


def python(code: str) -> Command:
    return Command((sys.executable, "-c", code), ROOT)


def failure(job: Job) -> BackendError:
    assert job.outcome is Outcome.FAILED
    assert job.error
    assert job.error.remedy
    return job.error


def test_it_starts_on_first_need_and_brings_the_takes(client: Client, command: Command) -> None:
    assert client.state is State.STOPPED
    job = finish(client, client.generate(Request("a person walks", 1.0, 3, 2), command))
    assert job.outcome is Outcome.DONE
    assert [take.provenance.seed for take in job.takes] == [3, 4]
    assert job.seconds["sampling"] > 0
    assert (client.state, client.device, client.model) == (State.READY, "cpu", "random")
    assert not client.awaited


def test_one_process_serves_many_requests(client: Client, command: Command) -> None:
    finish(client, client.generate(WALK, command))
    pid = client.pid
    finish(client, client.generate(WALK, command))
    assert client.pid == pid


def test_progress_is_seen_and_cancel_ends_it(client: Client, command: Command) -> None:
    job = client.generate(LONG, command)
    poll_until(client, lambda: job.step >= 3)
    assert (job.stage, job.total) == ("sampling", 50)
    client.cancel(job)
    assert finish(client, job).outcome is Outcome.CANCELLED
    assert not job.takes
    assert finish(client, client.generate(WALK, command)).outcome is Outcome.DONE


def test_an_error_arrives_with_its_remedy(client: Client) -> None:
    error = failure(finish(client, client.generate(Request("unmet", 1.0), FAULTY_COMMAND)))
    assert (error.code, error.remedy) == ("library_empty", "Add a clip.")
    assert finish(client, client.generate(WALK, FAULTY_COMMAND)).outcome is Outcome.DONE


def test_killed_while_generating_it_says_so_and_the_next_request_works(client: Client, command: Command) -> None:
    job = client.generate(LONG, command)
    poll_until(client, lambda: job.stage == "sampling")
    assert client.pid
    os.kill(client.pid, signal.SIGKILL)
    error = failure(finish(client, job))
    assert error.code == "backend_ended"
    assert "Killed" in error.message
    assert finish(client, client.generate(WALK, command)).outcome is Outcome.DONE


def test_a_crash_shows_the_exit_code_and_the_last_words(client: Client) -> None:
    code = f"""import runpy, sys
print("the first words", file=sys.stderr)
runpy.run_path({FAULTY!r}, run_name="__main__")"""
    error = failure(finish(client, client.generate(Request("crash", 1.0), python(code))))
    assert "exit code 3" in error.message
    assert "even past Python" in error.message
    assert "the first words" in client.log


def test_stop_ends_the_process_and_cancels(client: Client, command: Command) -> None:
    job = client.generate(LONG, command)
    poll_until(client, lambda: job.stage == "sampling")
    pid = client.pid
    assert pid
    client.stop(wait_seconds=5)
    assert (job.outcome, client.state, client.pid) == (Outcome.CANCELLED, State.STOPPED, None)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_stopped_process_is_noticed_as_quiet(
    client: Client, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "PING_SECONDS", 0.1)
    job = client.generate(LONG, command)
    poll_until(client, lambda: job.stage == "sampling")
    assert client.pid
    os.kill(client.pid, signal.SIGSTOP)
    poll_until(client, lambda: client.quiet_seconds > 1.0)
    os.kill(client.pid, signal.SIGCONT)
    finish(client, job)
    assert client.quiet_seconds == 0.0


def test_a_stuck_step_is_noticed_as_quiet(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PING_SECONDS", 0.1)
    job = client.generate(Request("hang", 1.0), FAULTY_COMMAND)
    poll_until(client, lambda: job.stage == "text")
    poll_until(client, lambda: client.quiet_seconds > 1.0)


def test_another_command_replaces_the_process(client: Client) -> None:
    finish(client, client.generate(WALK, FAULTY_COMMAND))
    pid = client.pid
    finish(client, client.generate(WALK, Command((*FAULTY_COMMAND.words, "other"), ROOT)))
    assert client.pid != pid


HELLO = """import sys, time
sys.stdout.write('{"type":"hello","protocol":1,"version":"0","pid":1}\\n%s\\n')
sys.stdout.flush(); time.sleep(60)"""
HELLO_OF_OURS = '{"type":"hello","protocol":1,"version":"0.1.0"}'
BAD_BACKENDS = {
    "ends at once": ("raise SystemExit('No module named numpy')", "environment_broken"),
    "prints something": ("print('Python 3.11')", "environment_broken"),
    "prints no end": ("while True: print('x' * 100_000, end='')", "environment_broken"),
    "speaks without hello": ("""print('{"type":"status","state":"ready"}')""", "environment_broken"),
    "speaks another protocol": ("""print('{"type":"hello","protocol":99}')""", "version_mismatch"),
    "repeats what it hears": (f"print({HELLO_OF_OURS!r})", "environment_broken"),
    "garbage after hello": (HELLO % "garbage", "protocol"),
    "unknown message": (HELLO % '{"type":"format_disk"}', "protocol"),
    "done without takes": (HELLO % '{"type":"done","id":1}', "protocol"),
    "take without arrays": (HELLO % '{"type":"take","id":1,"index":0,"fps":20,"provenance":{}}', "protocol"),
    "second take first": (HELLO % '{"type":"take","id":1,"index":1}', "protocol"),
    "progress beyond its end": (
        HELLO % '{"type":"progress","id":1,"stage":"sampling","step":9,"total":5}',
        "protocol",
    ),
    "error without remedy": (HELLO % '{"type":"error","id":1,"code":"x"}', "protocol"),
    "oversized array": (
        HELLO % '{"type":"take","arrays":[{"name":"a","dtype":"uint8","shape":[99999999]}]}',
        "protocol",
    ),
}


@pytest.mark.parametrize(("code", "expected"), BAD_BACKENDS.values(), ids=BAD_BACKENDS.keys())
def test_a_bad_backend_is_told_from_a_good_one_and_ended(client: Client, code: str, expected: str) -> None:
    client.generate(WALK, python(code))
    pid = client.pid
    assert pid
    poll_until(client, lambda: not client.jobs)
    assert client.error
    assert client.error.code == expected
    assert client.pid is None
    wait_for_end(pid)
    assert finish(client, client.generate(WALK, FAULTY_COMMAND)).outcome is Outcome.DONE


def wait_for_end(pid: int) -> None:
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail(f"process {pid} still lives")


def test_one_that_never_says_hello_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "HELLO_SECONDS", 0.5)
    job = finish(client, client.generate(WALK, python("import time; time.sleep(60)")))
    assert failure(job).code == "environment_broken"


def test_a_flood_is_held_back(client: Client) -> None:
    line = '{"type":"status","state":"loading"}'
    flood = HELLO.replace("time.sleep(60)", f"\nwhile True: print({line!r}, flush=True)") % line
    client.generate(WALK, python(flood))
    poll_until(client, lambda: client.state is State.LOADING)
    time.sleep(0.5)
    started = time.perf_counter()
    client.poll(0.004)
    assert time.perf_counter() - started < 0.02


def test_processes_threads_and_pipes_do_not_pile_up(client: Client, command: Command) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - no Path objects needed

    finish(client, client.generate(WALK, command))
    client.stop(wait_seconds=5)
    time.sleep(0.5)
    before = (threading.active_count(), descriptors())
    for _ in range(3):
        job = client.generate(LONG, command)
        poll_until(client, lambda job=job: job.stage == "sampling")
        client.cancel(job)
        finish(client, job)
        client.stop(wait_seconds=5)
    time.sleep(0.5)
    assert (threading.active_count(), descriptors()) == before


def test_the_backend_dies_with_its_parent(command: Command) -> None:
    code = f"""
import time
from remodiffuse_blender.client.client import Client
from remodiffuse_blender.client.command import Command
from backend.request import Request
from pathlib import Path
client = Client()
job = client.generate(Request("a person walks forward", 9.8, count=16), Command({command.words!r}, Path({str(ROOT)!r})))
while job.stage != "sampling":
    client.poll()
print(client.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        wait_for_end(pid)


def test_the_chosen_python_must_exist(tmp_path: Path) -> None:
    plain = tmp_path / "python"
    plain.write_text("no program")
    for chosen in ("", "   ", str(tmp_path / "missing"), str(tmp_path), str(plain)):
        with pytest.raises(BackendError, match="Preferences") as caught:
            backend_command(chosen)
        assert caught.value.code == "no_backend"


def test_the_folder_of_an_environment_will_do() -> None:
    assert backend_command(sys.prefix).words[0] == str(ROOT / ".venv/bin/python")


def test_no_program_is_told(client: Client, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_bytes(b"\x7fELF nonsense")
    broken.chmod(0o755)
    with pytest.raises(BackendError, match="cannot be started"):
        client.generate(WALK, backend_command(str(broken)))
    assert client.state is State.FAILED


def test_the_environment_of_blender_does_not_reach_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/blender/python")
    environment = FAULTY_COMMAND.environment()
    assert "PYTHONHOME" not in environment
    assert environment["PYTHONPATH"] == str(ROOT)
    assert environment["HF_HUB_OFFLINE"] == "1"


def test_a_path_with_spaces_is_one_word_of_a_command_on_every_system() -> None:
    windows = split(r'"C:\Program Files\Python\python.exe" -m backend serve', windows=True)
    assert windows == [r"C:\Program Files\Python\python.exe", "-m", "backend", "serve"]
    assert split("'/opt/my python/bin/python' -m backend", windows=False)[0] == "/opt/my python/bin/python"
    for system in (True, False):
        with pytest.raises(ValueError, match="closing"):
            split('"python -m backend', windows=system)
