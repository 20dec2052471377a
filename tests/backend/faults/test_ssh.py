# SPDX-License-Identifier: GPL-3.0-or-later
"""Another machine: the same pipe through a real OpenSSH server, here on the loopback address."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from serving import FAULTY, ROOT, finish, serve_words

from backend.request import Request
from remodiffuse_blender.client.command import own_command
from remodiffuse_blender.client.job import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.text import TextEncoder
    from remodiffuse_blender.client.client import Client

WALK = Request("a person walks forward", 1.0)


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The beginning of a command that runs the rest of it on the server, by keys of its own."""
    sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not sshd or not shutil.which("ssh"):
        pytest.skip("there is no OpenSSH server here: apt-get install openssh-server")
    folder = tmp_path_factory.mktemp("ssh")
    folder.chmod(0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)  # noqa: S607
    shutil.copy(folder / "user.pub", folder / "authorized")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    Path("/run/sshd").mkdir(exist_ok=True) if os.geteuid() == 0 else None
    options = [
        f"ListenAddress=127.0.0.1:{port}", f"HostKey={folder / 'host'}", f"AuthorizedKeysFile={folder / 'authorized'}",
        "PasswordAuthentication=no", "UsePAM=no", "StrictModes=no", f"PidFile={folder / 'pid'}", "PermitRootLogin=yes",
    ]  # fmt: skip
    words = [sshd, "-D", "-e", "-f", "/dev/null", *(word for option in options for word in ("-o", option))]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=(folder / "log").open("w")) as server:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.skip(f"the OpenSSH server does not start here: {(folder / 'log').read_text()[-300:]}")
                time.sleep(0.05)
        yield (
            f"ssh -p {port} -i {folder / 'user'} -o BatchMode=yes -o StrictHostKeyChecking=accept-new "
            f"-o UserKnownHostsFile={folder / 'known'} {getpass.getuser()}@127.0.0.1"
        )
        server.terminate()


def remote(ssh: str, *words: str) -> str:
    return f"{ssh} env PYTHONPATH={ROOT} OMP_NUM_THREADS=1 {sys.executable} {' '.join(words)}"


@pytest.mark.fault("remote backend by ssh")
def test_the_real_backend_answers_through_ssh(ssh: str, client: Client, encoder: TextEncoder, tmp_path: Path) -> None:
    command = own_command(remote(ssh, *serve_words(tmp_path / "random", encoder)))
    job = finish(client, client.generate(Request(WALK.prompt, 1.0, 3, 2), command))
    assert job.outcome is Outcome.DONE, client.log
    assert [take.provenance.seed for take in job.takes] == [3, 4]
    assert client.model == "random"
    assert [model["name"] for model in client.models] == ["starter"]


@pytest.mark.fault("remote backend by ssh")
def test_the_other_end_goes_when_we_go(ssh: str, client: Client) -> None:
    job = client.generate(Request(WALK.prompt, 9.8, count=16), own_command(remote(ssh, FAULTY)))
    while job.stage != "sampling":
        client.poll()
        time.sleep(0.01)
    pid = client.server_pid
    assert pid
    assert pid != client.pid
    client.stop(wait_seconds=5)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.fault("remote backend by ssh")
def test_a_lost_connection_is_told_and_the_next_request_works(ssh: str, client: Client) -> None:
    command = own_command(remote(ssh, FAULTY))
    job = client.generate(Request(WALK.prompt, 9.8, count=16), command)
    while job.stage != "sampling":
        client.poll()
        time.sleep(0.01)
    assert client.pid
    os.kill(client.pid, signal.SIGKILL)
    assert finish(client, job).error
    assert finish(client, client.generate(WALK, command)).outcome is Outcome.DONE


@pytest.mark.fault("remote backend by ssh")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("{ssh} no-such-program serve", "no-such-program"),
        ("ssh -p 1 -o BatchMode=yes nobody@127.0.0.1 python -m backend serve", "refused"),
        ("{ssh} echo Welcome", "not JSON"),
    ],
)
def test_what_does_not_answer_is_told_with_its_last_words(ssh: str, client: Client, words: str, said: str) -> None:
    job = finish(client, client.generate(WALK, own_command(words.format(ssh=ssh))))
    assert job.error
    assert job.error.code == "environment_broken"
    assert said in job.error.message
    assert "Preferences" in job.error.remedy


@pytest.mark.fault("another version at the other end")
def test_another_protocol_is_refused_and_another_version_noted(client: Client) -> None:
    hello = '{{"type":"hello","protocol":{},"version":"9.9","pid":1}}'
    program = f'{sys.executable} -c \'import time; print("""{{}}""", flush=True); time.sleep(9)\''
    client.start(own_command(program.format(hello.format(99))))
    while client.pid:
        client.poll()
        time.sleep(0.01)
    assert client.error
    assert client.error.code == "version_mismatch"
    client.start(own_command(program.format(hello.format(1))))
    while client.pid and not client.version_note:
        client.poll()
        time.sleep(0.01)
    assert "9.9" in client.version_note
