# SPDX-License-Identifier: GPL-3.0-or-later
"""What the animator has in the environment is in no log, no message and no file, whatever fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from serving import FAULTY, ROOT, serve_words

from backend.install.builds import LOCKS
from backend.request import Request
from remodiffuse_blender.client.client import Client
from remodiffuse_blender.client.command import Command
from remodiffuse_blender.client.errand import Errand

if TYPE_CHECKING:
    from pathlib import Path

    from backend.text import TextEncoder

CANARY = "correct-horse-battery-staple"
# Nobody listens on the discard port.
NOWHERE = f"http://animator:{CANARY}@127.0.0.1:9"
SECRETS = {
    "HF_TOKEN": CANARY,
    "AWS_SECRET_ACCESS_KEY": CANARY,
    "SSH_ASKPASS_PASSWORD": CANARY,
    "PIP_INDEX_URL": f"{NOWHERE}/simple",
    "PIP_EXTRA_INDEX_URL": f"{NOWHERE}/more",
    "PIP_RETRIES": "0",
    "UV_INDEX_URL": f"{NOWHERE}/simple",
    "UV_HTTP_RETRIES": "0",
    "HTTPS_PROXY": NOWHERE,
    "HTTP_PROXY": NOWHERE,
    "NO_PROXY": "",
}

fault = pytest.mark.fault("secrets in the environment")


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def asked(command: Command, prompt: str) -> str:
    """All that the sidebar could show after a request: the message, its remedy, the log."""
    client = Client()
    try:
        job = client.generate(Request(prompt, 1.0), command)
        deadline = time.monotonic() + 90
        while job.outcome is None:
            assert time.monotonic() < deadline
            client.poll()
            time.sleep(0.01)
        return f"{job.error} {client.error} {client.log}"
    finally:
        client.stop(wait_seconds=5)


@fault
@pytest.mark.parametrize("prompt", ["bug", "crash", "memory", "unmet", "a person walks"])
def test_a_request_that_fails(prompt: str) -> None:
    said = asked(Command((sys.executable, FAULTY), ROOT), prompt)
    assert "a library prints" in said
    assert CANARY not in said


@fault
def test_a_backend_that_does_not_start_or_finds_no_model(encoder: TextEncoder, tmp_path: Path) -> None:
    words = serve_words(tmp_path / "random", encoder)
    (tmp_path / "random" / "model.safetensors").write_bytes(b"")
    for command in (
        Command((sys.executable, *words), ROOT),
        Command((sys.executable, "-m", "backend", "serve", "--what"), ROOT),
        Command((sys.executable, "-X", "importtime", "-c", "import backend.nothing"), ROOT),
    ):
        said = asked(command, "a person walks")
        assert len(said) > 50
        assert CANARY not in said


def errand(*words: str) -> str:
    """All that the preferences could show after an errand."""
    work = Errand("Working", Command((sys.executable, "-m", "backend", *words), ROOT, online=True))
    deadline = time.monotonic() + 600
    while not work.over:
        assert time.monotonic() < deadline
        work.poll()
        time.sleep(0.01)
    time.sleep(0.1)
    assert work.error
    return f"{work.error} {work.log}"


def everything_in(folder: Path) -> str:
    texts = (path for path in folder.rglob("*") if path.is_file() and path.stat().st_size < 1 << 20)
    return " ".join(path.read_text("utf-8", errors="replace") for path in texts)


@fault
def test_an_installation_whose_index_does_not_answer(tmp_path: Path) -> None:
    said = errand("install", "--frames", "--folder", str(tmp_path / "new"))
    assert "could not be fetched" in said
    assert CANARY not in said + everything_in(tmp_path)


@fault
def test_an_installation_that_fails_at_its_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has uv, whose index does not answer."""
    wheels = tmp_path / "wheels"
    words = ["download", "-q", "--no-deps", "--only-binary", ":all:", "--require-hashes", "-d", str(wheels)]
    plain = {name: value for name, value in os.environ.items() if name not in SECRETS}
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words, "-r", str(LOCKS / "uv.txt")],
        env=plain,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"pip cannot fetch uv here: {done.stderr.strip().splitlines()[-1]}")
    said = errand("install", "--frames", "--folder", str(tmp_path / "new"), "--wheels", str(wheels), "--build", "cpu")
    assert "packages could not be installed" in said
    assert CANARY not in said + everything_in(tmp_path)


@fault
def test_a_download_that_fails(tmp_path: Path) -> None:
    words = ("--commit", "0" * 40, "--sha256", "0" * 64, "--into", str(tmp_path))
    said = errand("model", "download", "--frames", "somebody/a-model", *words)
    assert "cut off" in said
    assert CANARY not in said + everything_in(tmp_path)
