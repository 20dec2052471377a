# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend serve`: requests in, progress and takes out, over standard input and output.

The calling thread reads frames and answers what needs no model (cancel, ping) at once; one worker thread owns the
model and does one request after another. The process ends when its input closes, so it never outlives Blender.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import queue
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from . import lifeline, memory, models, protocol
from .console.streams import take_standard_streams
from .errors import BackendError, CancelledError
from .library_messages import Question, encode_answer, parse_question
from .threads import MAX_THREADS, limit_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO, NoReturn

    from .library_messages import Answer
    from .request import Request, Take

    Load = Callable[[str], "Generator"]

MAX_WAITING: Final = 64
FAREWELL_SECONDS: Final = 1.0


class Generator(Protocol):
    """What the server needs of `backend.generate.Generator`."""

    device: str
    model_name: str

    def generate(self, request: Request, progress: Callable[[str, int, int], None] | None = None) -> list[Take]: ...
    def answer(self, question: Question) -> Answer: ...


@dataclass(slots=True)
class Job:
    """One request, or question about the library, on its way.

    `cancelled` is the animator's wish, `done` says that its last answer was sent.
    """

    id: int
    request: Request | Question
    model: str
    cancelled: threading.Event = field(default_factory=threading.Event)
    started: bool = False
    done: bool = False
    seconds: dict[str, float] = field(default_factory=dict)


class Server:
    """Serves one Blender.

    `load` makes the generator of a model ("" is the one that was asked for at the start); it is called on the worker
    thread, again after a failure. After `idle_seconds` without work the model leaves the memory, and the process ends
    with exit status 0 where it would hold on to the GPU. `models` lists what there is to choose from.
    """

    def __init__(
        self,
        reader: BinaryIO,
        writer: BinaryIO,
        load: Load,
        idle_seconds: float = math.inf,
        models: Callable[[], list[dict[str, Any]]] = list,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._load = load
        self._idle_seconds = idle_seconds
        self._models = models
        self._generator: Generator | None = None
        self._loaded = ""
        self._jobs: dict[int, Job] = {}
        self._waiting: queue.Queue[Job | None] = queue.Queue()
        self._lock = threading.RLock()
        self._sign_of_life = time.monotonic()

    def run(self) -> int:
        """Serves until the input closes (exit status 0) or can no longer be read as frames (1)."""
        self._send({"type": "hello", "protocol": protocol.PROTOCOL, "version": protocol.version(), "pid": os.getpid()})
        worker = threading.Thread(target=self._work, name="worker", daemon=True)
        worker.start()
        try:
            while (frame := protocol.read(self._reader)) is not None:
                self._receive(frame)
            return 0
        except protocol.ProtocolError as error:
            # What follows can no longer be told apart: better a clear end than a wrong answer.
            self._send_error(None, BackendError("protocol", str(error), "Restart the backend."))
            return 1
        finally:
            with self._lock:
                for job in self._jobs.values():
                    job.cancelled.set()
            self._waiting.put(None)
            worker.join(FAREWELL_SECONDS)

    # The reading thread.

    def _receive(self, frame: protocol.Frame) -> None:
        try:
            match frame.type:
                case "hello":
                    self._check_hello(frame)
                case "generate":
                    self._accept(frame, protocol.parse_request(frame))
                case "library":
                    self._accept(frame, parse_question(frame))
                case "cancel":
                    self._cancel(frame.id)
                case "models":
                    self._send({"type": "models", "id": frame.id, "models": self._models()})
                case "ping":
                    busy = any(job.started for job in self._jobs.values())
                    silent = time.monotonic() - self._sign_of_life if busy else 0.0
                    self._send({"type": "pong", "id": frame.id, "silent": round(silent, 3)})
                case unknown:
                    raise protocol.ProtocolError(f"The backend knows no message {unknown[:40]!r}.")
        except protocol.ProtocolError as error:
            remedy = "Update the add-on and the backend to the same version."
            self._send_error(frame.id, BackendError("bad_message", str(error), remedy))
        except Exception as error:
            self._send_error(frame.id, _as_backend_error(error))

    def _check_hello(self, frame: protocol.Frame) -> None:
        if frame.header.get("protocol") != protocol.PROTOCOL:
            raise BackendError(
                "version_mismatch",
                f"The backend speaks protocol {protocol.PROTOCOL}, the add-on {frame.header.get('protocol')!r:.20}.",
                "Update the add-on and the backend to the same version.",
            )

    def _accept(self, frame: protocol.Frame, request: Request | Question) -> None:
        if frame.id is None or frame.id in self._jobs:
            raise protocol.ProtocolError("A request needs an id of its own.")
        job = Job(frame.id, request, protocol.parse_model(frame))
        if len(self._jobs) >= MAX_WAITING:
            raise BackendError("busy", f"{MAX_WAITING} requests are waiting already.", "Wait or cancel some of them.")
        with self._lock:
            self._jobs[job.id] = job
        self._waiting.put(job)

    def _cancel(self, number: int | None) -> None:
        """A request that does not run yet is answered at once; the worker answers for the one that does."""
        with self._lock:
            job = self._jobs.get(number) if number is not None else None
            # One that just ended needs no answer: cancel and the last take may cross on the way.
            if job is None:
                return
            job.cancelled.set()
            if not job.started:
                self._finish(job, _cancelled(job))

    # The worker thread.

    def _work(self) -> None:
        with contextlib.suppress(BackendError):  # The status says so; the first request tries again.
            self._warm_up()
        while (job := self._next()) is not None:
            with self._lock:
                if job.done:
                    continue
                job.started = True
            self._sign_of_life = time.monotonic()
            self._finish(job, self._serve(job))

    def _next(self) -> Job | None:
        """Waits for work; None at the end. Meanwhile memory that nobody used for long is given back."""
        idle = None if self._generator is None or math.isinf(self._idle_seconds) else self._idle_seconds
        try:
            return self._waiting.get(timeout=idle)
        except queue.Empty:
            device = self._generator.device if self._generator else ""
            self._generator = None
            memory.release()
            with self._lock:
                self._send({"type": "status", "state": "idle"})
                if memory.lingers(device) and not self._jobs:
                    # A request that crosses this on its way is sent again, see docs/protocol.md.
                    sys.stderr.flush()
                    os._exit(0)
            return self._waiting.get()

    def _warm_up(self, model: str = "") -> Generator:
        if self._generator is not None and self._loaded == model:
            return self._generator
        # One at a time: two may not fit.
        if self._generator is not None:
            self._generator = None
            memory.release()
        self._send({"type": "status", "state": "loading"})
        try:
            self._generator = self._load(model)
        except Exception as error:
            told = _as_backend_error(error)
            self._send({**protocol.error_header(None, told), "type": "status", "state": "failed"})
            raise told from error
        self._loaded = model
        self._send(
            {
                "type": "status",
                "state": "ready",
                "device": self._generator.device,
                "model": self._generator.model_name,
                "memory": memory.held(self._generator.device),
            }
        )
        return self._generator

    def _serve(self, job: Job) -> bytes:
        """Does a request and returns the frame of its last answer."""
        last = ("loading", time.monotonic())

        def note(stage: str) -> None:
            nonlocal last
            now = time.monotonic()
            job.seconds[last[0]] = round(job.seconds.get(last[0], 0.0) + now - last[1], 4)
            last = (stage, now)
            self._sign_of_life = now

        def progress(stage: str, step: int, total: int) -> None:
            if job.cancelled.is_set():
                raise CancelledError
            note(stage)
            self._send({"type": "progress", "id": job.id, "stage": stage, "step": step, "total": total})

        try:
            generator = self._warm_up(job.model)
            if isinstance(job.request, Question):
                return encode_answer(job.id, generator.answer(job.request))
            progress("starting", 0, 1)
            takes, batch = memory.in_batches(generator.generate, job.request, progress)
            note("sending")
            if job.cancelled.is_set():
                raise CancelledError
            for index, take in enumerate(takes):
                self._write(protocol.encode_take(job.id, index, take))
        except CancelledError:
            return _cancelled(job)
        except Exception as error:
            return protocol.encode(protocol.error_header(job.id, _as_backend_error(error)))
        note("sending")
        done = {"type": "done", "id": job.id, "takes": len(takes), "seconds": job.seconds}
        return protocol.encode(done if batch == job.request.count else done | {"batch": batch})

    def _finish(self, job: Job, answer: bytes) -> None:
        with self._lock:
            job.done = True
            del self._jobs[job.id]
            self._write(answer)

    # Both.

    def _send(self, header: dict[str, Any]) -> None:
        self._write(protocol.encode(header))

    def _send_error(self, number: int | None, error: BackendError) -> None:
        self._send(protocol.error_header(number, error))

    def _write(self, data: bytes) -> None:
        # OSError: Blender is gone, and the reader is about to see the end of the input.
        with self._lock, contextlib.suppress(OSError):
            self._writer.write(data)
            self._writer.flush()


def _cancelled(job: Job) -> bytes:
    return protocol.encode({"type": "cancelled", "id": job.id})


def _as_backend_error(error: Exception) -> BackendError:
    """What the animator reads; what a developer needs goes to the log."""
    if isinstance(error, BackendError):
        return error
    traceback.print_exception(error)
    text = str(error)
    if memory.is_out_of_memory(error):
        return BackendError(
            "out_of_memory", "The memory is not enough for this request.", "Ask for fewer takes or a shorter clip."
        )
    if isinstance(error, ImportError):
        return BackendError(
            "environment_broken",
            f"The backend's environment is not complete: {text}.",
            "Install the backend again, or choose another environment in the add-on's preferences.",
        )
    return BackendError(
        "internal",
        f"The backend failed: {type(error).__name__}: {text[:300]}",
        "Generate again; if it fails again, restart the backend and report its log.",
    )


def main(argv: Sequence[str]) -> NoReturn:
    """Serve one Blender until standard input closes."""
    parser = argparse.ArgumentParser(prog="python -m backend serve", description=main.__doc__)
    parser.add_argument("--model", type=Path, help="folder of the model (default: the starter model)")
    parser.add_argument("--library", type=Path, action="append", help="a motion library to search; may be repeated")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps, ... (default: auto)")
    parser.add_argument("--threads", type=int, help=f"CPU threads (default: all cores, at most {MAX_THREADS})")
    parser.add_argument("--models", type=Path, action="append", help="a folder of model folders to choose from")
    parser.add_argument("--libraries", type=Path, help="the folder of the animator's own motion libraries")
    parser.add_argument(
        "--idle-minutes", type=float, default=10.0, help="unload the model after so long; 0: never (default: 10)"
    )
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32", help="bfloat16: see bench")
    options = parser.parse_args(argv)
    limit_threads(options.threads)
    folders = options.models or []

    def load(model: str) -> Generator:
        from .generate import Generator

        folder = models.folder_of(model, folders) if model else options.model
        return Generator.load(folder, options.library, options.device, options.libraries, options.precision)

    serve(load, options.idle_minutes * 60 or math.inf, lambda: models.on_the_wire(folders))


def serve(load: Load, idle_seconds: float = math.inf, models: Callable[[], list[dict[str, Any]]] = list) -> NoReturn:
    """Serves on the standard streams and ends the process."""
    lifeline.end_with_parent()
    # Ctrl+C in the terminal that Blender was started from is meant for Blender.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    status = Server(*take_standard_streams(), load, idle_seconds, models).run()
    sys.stderr.flush()
    # A worker within a matrix product cannot be interrupted, and the interpreter would wait for it.
    os._exit(status)
