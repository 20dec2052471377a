# SPDX-License-Identifier: GPL-3.0-or-later
"""`Client`: one backend and the requests it works on. Everything happens on the caller's thread, in `poll`."""

from __future__ import annotations

import itertools
import signal
import time
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from ..shared import BackendError, protocol
from ..shared import library_messages as messages
from .command import CHOOSE
from .job import Inquiry, Job, Outcome
from .process import Ended, Process

if TYPE_CHECKING:
    from ..shared import Request
    from .command import Command

HELLO_SECONDS: Final = 60.0
PING_SECONDS: Final = 5.0
LAST_WORDS: Final = 3
"""Lines of the log that are shown when the backend ends unexpectedly."""


VERSION: Final = protocol.version()


class State(Enum):
    STOPPED = "stopped"
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    IDLE = "idle"
    """The model was unloaded after a while without work."""
    FAILED = "failed"


class Client:
    """Starts the backend on first need and keeps it until `stop`; a dead one is replaced by the next `generate`."""

    def __init__(self) -> None:
        self.state = State.STOPPED
        self.error: BackendError | None = None
        """Why the state is FAILED."""
        self.device = ""
        self.model = ""
        self.memory = 0
        """Bytes that the backend holds on its device."""
        self.server_pid = 0
        """The backend's own process number, on its own machine."""
        self.models: list[dict[str, Any]] = []
        """What the backend offers, as `protocol.parse_models` describes it; asked for at the start."""
        self.version_note = ""
        """What to say where backend and add-on are of different versions that understand each other."""
        self.jobs: dict[int, Job] = {}
        """The requests without an outcome, by id."""
        self.inquiries: dict[int, Inquiry] = {}
        """The questions about the library without an answer, by id."""
        self._numbers = itertools.count(1)
        self._command: Command | None = None
        self._process: Process | None = None
        self._spent = False
        """Whether memory was short. oneDNN remembers that, and fails ever after; and a new process has no fragments."""
        self._log: list[str] = []
        self._started = self._heard = self._pinged = self._stuck = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def log(self) -> list[str]:
        """The last lines that the backend logged; they survive it."""
        return list(self._process.log) if self._process else self._log

    @property
    def awaited(self) -> bool:
        """Whether something is due from the backend, so that `poll` should be called again soon."""
        return bool(self.jobs or self.inquiries) or self.state in (State.STARTING, State.LOADING)

    @property
    def quiet_seconds(self) -> float:
        """How long the backend has given no sign of life although something is due."""
        return max(time.monotonic() - self._heard, self._stuck) if self.awaited else 0.0

    def start(self, command: Command) -> None:
        """Starts the backend, or replaces one that is dead, spent or runs by another command. Raises `BackendError`."""
        # One that died while nothing was awaited has not been noticed: nobody polls then.
        outlived = self._spent or (self._process and not self._process.lives)
        if self._process and command == self._command and (self.jobs or not outlived):
            return
        self.stop()
        self._launch(command)

    def _launch(self, command: Command) -> Process:
        """Starts a process. Raises `BackendError`, after failing what is awaited."""
        try:
            process = self._process = Process(command)
        except BackendError as error:
            self._fail(error)
            raise
        self._command, self._spent = command, False
        self.state, self.error = State.STARTING, None
        self._started = self._heard = self._pinged = time.monotonic()
        self._send({"type": "hello", "protocol": protocol.PROTOCOL, "version": VERSION})
        return process

    def generate(self, request: Request, command: Command, model: str = "") -> Job:
        """Sends a request, after starting the backend where needed. Raises `BackendError`.

        `model` is one of `models`; empty for the backend's own choice.
        """
        self.start(command)
        number = next(self._numbers)
        job = Job(number, request, protocol.encode_request(number, request, model))
        if not self.jobs and not self.inquiries:
            self._heard = time.monotonic()
        self.jobs[job.id] = job
        if self._process:
            self._process.send(job.message)
        return job

    def ask(self, question: messages.Question, command: Command, model: str = "") -> Inquiry:
        """Asks about the library, after starting the backend where needed. Raises `BackendError`."""
        self.start(command)
        number = next(self._numbers)
        inquiry = Inquiry(number, question, messages.encode_question(number, question, model))
        if not self.jobs and not self.inquiries:
            self._heard = time.monotonic()
        self.inquiries[inquiry.id] = inquiry
        if self._process:
            self._process.send(inquiry.message)
        return inquiry

    def cancel(self, job: Job) -> None:
        """Asks the backend to stop; the job ends as CANCELLED, or as DONE where it was faster."""
        if job.id in self.jobs and not job.cancelling:
            job.cancelling = True
            self._send({"type": "cancel", "id": job.id})

    def ask_models(self) -> None:
        """What the backend offers may have changed."""
        self._send({"type": "models"})

    def stop(self, wait_seconds: float = 0.0) -> None:
        """Ends the backend at once; what it worked on is cancelled."""
        if self._process:
            self._log = self.log
            self._process.kill(wait_seconds)
            self._process = None
        self.state, self.error = State.STOPPED, None
        self._end_jobs(Outcome.CANCELLED)

    def poll(self, budget_seconds: float = 0.004) -> bool:
        """Takes in what arrived, for at most about `budget_seconds`. Returns whether anything changed."""
        changed = False
        deadline = time.perf_counter() + budget_seconds
        while self._process and time.perf_counter() < deadline and (item := self._process.receive()) is not None:
            changed = True
            if isinstance(item, Ended):
                if self._has_left(item):
                    self._send_again()
                else:
                    self._fail(self._why_ended(item))
                break
            try:
                self._receive(item)
            except protocol.ProtocolError as error:
                self._fail(self._garbage(str(error)))
            except BackendError as error:
                self._fail(error)
        return self._keep_alive() or changed

    def _has_left(self, ended: Ended) -> bool:
        """Whether the backend ended to give the GPU back: it was idle, and nothing was sent to it twice."""
        waiting = (*self.jobs.values(), *self.inquiries.values())
        peaceful = self.state is State.IDLE and ended.code == 0 and ended.garbage is None
        return peaceful and not any(each.again for each in waiting)

    def _send_again(self) -> None:
        """What crossed the end of an idle backend on its way is asked of a new one."""
        self._log, self._process = self.log, None
        if self._command is None or not self.awaited:
            return
        try:
            process = self._launch(self._command)
        except BackendError:
            return
        for each in (*self.jobs.values(), *self.inquiries.values()):
            each.again = True
            process.send(each.message)
        for job in self.jobs.values():
            if job.cancelling:
                self._send({"type": "cancel", "id": job.id})

    def _send(self, header: dict[str, Any]) -> None:
        if self._process:
            self._process.send(protocol.encode(header))

    def _receive(self, frame: protocol.Frame) -> None:
        self._heard, self._stuck = time.monotonic(), 0.0
        header = frame.header
        if self.state is State.STARTING and frame.type != "hello":
            raise protocol.ProtocolError("The first message was not hello.")
        match frame.type:
            case "hello":
                if header.get("protocol") != protocol.PROTOCOL:
                    raise BackendError(
                        "version_mismatch",
                        f"The backend speaks protocol {header.get('protocol')!r:.20}, "
                        f"this add-on protocol {protocol.PROTOCOL}.",
                        "Install the add-on and the backend in the same version.",
                    )
                # Our own hello, repeated by a program that is no backend, has no pid.
                if not isinstance(header.get("version"), str) or type(header.get("pid")) is not int:
                    raise protocol.ProtocolError("The hello names no version and process.")
                self.server_pid = header["pid"]
                self.version_note = "" if header["version"] == VERSION else _other_version(header["version"])
                self.state = State.LOADING
                self.ask_models()
            case "status":
                self._note_status(header)
            case "models":
                self.models = protocol.parse_models(header)
            case "pong":
                silent = header.get("silent")
                self._stuck = float(silent) if isinstance(silent, (int, float)) and 0 < silent < 1e9 else 0.0
            case "error" if frame.id is None:
                raise protocol.parse_error(header)
            case "library" | "error" if frame.id in self.inquiries:
                self._answer(self.inquiries[frame.id], frame)
            case "progress" | "take" | "done" | "cancelled" | "error" | "library":
                # A late answer to a request that has its outcome already is no news.
                if job := self.jobs.get(frame.id or 0):
                    self._advance(job, frame)
            case unknown:
                raise protocol.ProtocolError(f"The message {unknown[:40]!r} is unknown.")

    def _answer(self, inquiry: Inquiry, frame: protocol.Frame) -> None:
        if frame.type == "error":
            inquiry.error = protocol.parse_error(frame.header)
        else:
            inquiry.answer = messages.parse_answer(frame)
        inquiry.over = True
        del self.inquiries[inquiry.id]

    def _note_status(self, header: dict[str, Any]) -> None:
        match header.get("state"):
            case "loading":
                self.state, self.error = State.LOADING, None
            case "ready":
                self.state, self.error = State.READY, None
                self.device, self.model = str(header.get("device")), str(header.get("model"))
                memory = header.get("memory", 0)
                self.memory = memory if type(memory) is int and 0 <= memory < 1 << 48 else 0
            case "idle":
                self.state, self.error = State.IDLE, None
            case "failed":
                # The process lives and tries again with the next request.
                self.state, self.error = State.FAILED, protocol.parse_error(header)
            case _:
                raise protocol.ProtocolError("A status has no known state.")

    def _advance(self, job: Job, frame: protocol.Frame) -> None:
        header = frame.header
        match frame.type:
            case "progress":
                job.advance(*protocol.parse_progress(header))
            case "take":
                if header.get("index") != len(job.takes) or len(job.takes) >= job.request.count:
                    raise protocol.ProtocolError("A take is out of order.")
                job.takes.append(protocol.parse_take(frame))
            case "done":
                if len(job.takes) != job.request.count:
                    raise protocol.ProtocolError("A request ended before all its takes came.")
                seconds = header.get("seconds")
                job.seconds = seconds if isinstance(seconds, dict) else {}
                batch = header.get("batch", job.request.count)
                if type(batch) is not int or not 1 <= batch <= job.request.count:
                    raise protocol.ProtocolError("A request was done in impossible batches.")
                job.batch = batch
                self._end(job, Outcome.DONE)
            case "cancelled":
                self._end(job, Outcome.CANCELLED)
            case "library":
                raise protocol.ProtocolError("A request for takes was answered like a question.")
            case _:
                self._end(job, Outcome.FAILED, protocol.parse_error(header))

    def _end(self, job: Job, outcome: Outcome, error: BackendError | None = None) -> None:
        job.outcome, job.error = outcome, error
        self._spent = self._spent or (error is not None and error.code == "out_of_memory")
        del self.jobs[job.id]

    def _end_jobs(self, outcome: Outcome, error: BackendError | None = None) -> None:
        for job in list(self.jobs.values()):
            self._end(job, outcome, error)
        for inquiry in self.inquiries.values():
            inquiry.over, inquiry.error = True, error
        self.inquiries.clear()

    def _keep_alive(self) -> bool:
        """The heartbeat: asks for a sign of life, and gives up on a process that never said hello."""
        now = time.monotonic()
        if self.state is State.STARTING and now - self._started > HELLO_SECONDS:
            self._fail(
                BackendError(
                    "environment_broken", f"The backend gave no answer for {HELLO_SECONDS:.0f} seconds.", CHOOSE
                )
            )
            return True
        if self.awaited and now - max(self._heard, self._pinged) > PING_SECONDS:
            self._pinged = now
            self._send({"type": "ping"})
        return False

    def _fail(self, error: BackendError) -> None:
        if self._process:
            self._log = self.log
            self._process.kill()
            self._process = None
        self.state, self.error = State.FAILED, error
        self._end_jobs(Outcome.FAILED, error)

    def _why_ended(self, ended: Ended) -> BackendError:
        if ended.garbage is not None:
            return self._garbage(ended.garbage)
        how = f"exit code {ended.code}"
        if ended.code < 0:
            how = f"signal {-ended.code}: {signal.strsignal(-ended.code)}"
        words = " / ".join(self.log[-LAST_WORDS:])
        said = f' Its last words: "{words}".' if words else ""
        if self.state is State.STARTING:
            return BackendError("environment_broken", f"The backend did not start ({how}).{said}", CHOOSE)
        return BackendError(
            "backend_ended", f"The backend ended unexpectedly ({how}).{said}", "Press Generate to start it again."
        )

    def _garbage(self, what: str) -> BackendError:
        if self.state is State.STARTING:
            return BackendError("environment_broken", f"The chosen program is no backend. {what}", CHOOSE)
        return BackendError("protocol", f"The backend sent garbage. {what}", "Press Generate to start it again.")


def _other_version(version: str) -> str:
    return f"The backend is of version {version[:20]}, the add-on of {VERSION}: update the older one when you can."
