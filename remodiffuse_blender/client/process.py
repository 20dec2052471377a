# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend's process and the three threads that keep its pipes flowing. Nobody here ever waits for anything long."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..shared import BackendError, protocol
from .command import CHOOSE
from .guard import Guard

if TYPE_CHECKING:
    from typing import IO

    from .command import Command

LOG_LINES: Final = 200
LINE_LENGTH: Final = 500
INBOX_FRAMES: Final = 256
ENDING_SECONDS: Final = 2.0
"""A process that closed its output is given this long to end by itself."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The last thing that comes out of a process: its exit code, and what was wrong with its output if anything."""

    code: int
    garbage: str | None


class Process:
    """A running backend. `send` and `receive` return at once; `log` holds the last lines of its standard error."""

    def __init__(self, command: Command) -> None:
        """Raises `BackendError` where the command cannot be started."""
        try:
            self._child = subprocess.Popen(  # noqa: S603 - a list of words, from the preferences
                command.words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=command.folder,
                env=command.environment(),
                creationflags=subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0,
                # A group of its own: what the command starts in turn ends with it. And no terminal: nobody is asked.
                start_new_session=True,
            )
        except OSError as error:
            raise BackendError(
                "no_backend", f"{command.words[0]} cannot be started: {error.strerror}.", CHOOSE
            ) from error
        assert self._child.stdin and self._child.stdout and self._child.stderr  # noqa: S101 - pipes, see above
        self.pid = self._child.pid
        self._guard = Guard(self.pid)
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._inbox: queue.Queue[protocol.Frame | Ended] = queue.Queue(INBOX_FRAMES)
        self._abandoned = threading.Event()
        self._silent = threading.Event()
        logger = threading.Thread(target=self._collect_log, args=(self._child.stderr,), daemon=True)
        threads = (
            logger,
            threading.Thread(target=self._write, args=(self._child.stdin,), daemon=True),
            threading.Thread(target=self._read, args=(self._child.stdout, logger), daemon=True),
        )
        for thread in threads:
            thread.start()

    def send(self, data: bytes) -> None:
        """Hands the bytes of a frame to the writing thread."""
        self._outbox.put(data)

    def receive(self) -> protocol.Frame | Ended | None:
        """The next frame, or None where nothing came yet. After `Ended` nothing comes any more."""
        try:
            return self._inbox.get_nowait()
        except queue.Empty:
            return None

    @property
    def lives(self) -> bool:
        """Whether it still can answer."""
        return not self._silent.is_set() and self._child.poll() is None

    def kill(self, wait_seconds: float = 0.0) -> None:
        """Ends the process for certain. Nothing is lost: the backend keeps nothing that is not in a file."""
        self._abandoned.set()
        self._outbox.put(None)
        self._kill()
        if wait_seconds:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(wait_seconds)

    def _kill(self) -> None:
        if self._child.poll() is not None:
            return
        if sys.platform == "win32":
            self._child.kill()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)

    def _write(self, stream: IO[bytes]) -> None:
        # OSError: the process is gone, which the reading thread reports.
        with contextlib.suppress(OSError), stream:
            while (data := self._outbox.get()) is not None:
                stream.write(data)
                stream.flush()

    def _read(self, stream: IO[bytes], logger: threading.Thread) -> None:
        garbage = None
        with stream:
            try:
                while (frame := protocol.read(stream)) is not None:
                    self._deliver(frame)
            except protocol.TruncatedError as error:
                # A process that was killed while it wrote sent no garbage: then its end is the news.
                garbage = None if self._crashed() else str(error)
                self._kill()
            except protocol.ProtocolError as error:
                garbage = str(error)
                self._kill()
        self._silent.set()
        self._outbox.put(None)
        code = self._child.wait()
        self._guard.dismiss()
        # The last lines of the log say why it ended; a grandchild may hold the pipe open for longer.
        logger.join(1.0)
        self._deliver(Ended(code, garbage))

    def _crashed(self) -> bool:
        try:
            return self._child.wait(ENDING_SECONDS) != 0
        except subprocess.TimeoutExpired:
            return False

    def _deliver(self, item: protocol.Frame | Ended) -> None:
        """A full inbox makes the backend wait: memory stays bounded whatever it sends."""
        while not self._abandoned.is_set():
            with contextlib.suppress(queue.Full):
                self._inbox.put(item, timeout=0.2)
                return

    def _collect_log(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(LINE_LENGTH):
                if text := line.decode("utf-8", "replace").strip():
                    self.log.append(text)
