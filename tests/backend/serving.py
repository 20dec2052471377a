# SPDX-License-Identifier: GPL-3.0-or-later
"""A backend in a real process, spoken to frame by frame; its model is small and random, everything else is real."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gaits import CAPTIONS, gait_clip
from random_model import CONFIG, save_random_model

from backend import protocol
from backend.library import Library
from backend.model import DiffusionConfig
from backend.model_folder import LIBRARY

if TYPE_CHECKING:
    from collections.abc import Callable

    from backend.text import TextEncoder
    from remodiffuse_blender.client.client import Client
    from remodiffuse_blender.client.job import Job

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


FAULTY = str(ROOT / "tests/backend/faulty_server.py")
STEPS = 50


def serve_words(folder: Path, encoder: TextEncoder) -> tuple[str, ...]:
    """Words after `python` that start the backend with a model and a library made in `folder`."""
    config = replace(CONFIG, diffusion=DiffusionConfig(sections=(STEPS // 2, STEPS // 2)))
    save_random_model(folder, start_timestep=0, config=config)
    with Library.create(folder / LIBRARY) as library:
        for caption in CAPTIONS:
            library.add(gait_clip(caption, 80))
        library.index(encoder)
    return ("-m", "backend", "serve", "--device", "cpu", "--threads", "1", "--model", str(folder))


def poll_until(client: Client, wanted: Callable[[], bool], timeout: float = 60.0) -> None:
    deadline = time.monotonic() + timeout
    while not wanted():
        assert time.monotonic() < deadline, f"not in {timeout} s; {client.state}, {client.error}, {client.log}"
        client.poll()
        time.sleep(0.002)


def finish(client: Client, job: Job, timeout: float = 90.0) -> Job:
    """The job, once it has its outcome."""
    poll_until(client, lambda: job.outcome is not None, timeout)
    return job


class Serving:
    """The process and a thread that reads its frames; every wait has a limit."""

    def __init__(self, *words: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**ENVIRONMENT, **environment},
        )
        self.frames: queue.Queue[protocol.Frame | Exception | None] = queue.Queue()
        self.log: list[str] = []
        self.threads = [threading.Thread(target=target, daemon=True) for target in (self._read, self._collect_log)]
        for thread in self.threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(10)
        for thread in self.threads:
            thread.join(10)

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as stream:
            try:
                while (frame := protocol.read(stream)) is not None:
                    self.frames.put(frame)
                self.frames.put(None)
            except protocol.ProtocolError as error:
                self.frames.put(error)

    def _collect_log(self) -> None:
        assert self.process.stderr
        with self.process.stderr as stream:
            self.log.extend(line.decode() for line in stream)

    def write(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, **header: Any) -> None:  # noqa: ANN401 - JSON
        self.write(protocol.encode(header))

    def generate(self, number: int, prompt: str, seconds: float = 1.0, seed: int = 0, count: int = 1) -> None:
        request = {"prompt": prompt, "seconds": seconds, "seed": seed, "count": count, "quality": "full"}
        self.send(type="generate", id=number, request=request)

    def next(self, timeout: float = 60.0) -> protocol.Frame:
        frame = self.frames.get(timeout=timeout)
        assert isinstance(frame, protocol.Frame), f"instead of a frame came {frame!r}"
        return frame

    def until(self, wanted: Callable[[protocol.Frame], bool], timeout: float = 60.0) -> list[protocol.Frame]:
        """All frames up to the first one that is wanted."""
        deadline = time.monotonic() + timeout
        frames = [self.next(timeout)]
        while not wanted(frames[-1]):
            frames.append(self.next(deadline - time.monotonic()))
        return frames

    def outcome(self, number: int, timeout: float = 60.0) -> list[protocol.Frame]:
        """All frames up to the last answer to request `number`."""
        last = ("done", "cancelled", "error")
        return self.until(lambda frame: frame.type in last and frame.id == number, timeout)

    def close_input(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
