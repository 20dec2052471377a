# SPDX-License-Identifier: GPL-3.0-or-later
"""`Errand`: a command of the backend that works for a while and is watched: an installation, a download."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from ..shared import BackendError, protocol
from .process import Ended, Process

if TYPE_CHECKING:
    from .command import Command

LAST_WORDS = 3


class Errand:
    """A process that tells its progress in frames and ends with `done` or `error`. Everything happens in `poll`."""

    def __init__(self, name: str, command: Command) -> None:
        """Raises `BackendError` where the command cannot be started."""
        self.name = name
        self.stage, self.step, self.total = "starting", 0, 1
        self.result: dict[str, Any] | None = None
        """Set once it is done well."""
        self.error: BackendError | None = None
        """Set once it has failed."""
        self.cancelled = False
        self._process = Process(command)

    @property
    def over(self) -> bool:
        return self.cancelled or self.result is not None or self.error is not None

    @property
    def factor(self) -> float:
        return self.step / self.total

    @property
    def log(self) -> list[str]:
        return list(self._process.log)

    @property
    def pid(self) -> int:
        return self._process.pid

    def cancel(self, wait_seconds: float = 0.0) -> None:
        """Ends it at once, with all that it started. What it has done so far stays."""
        self._process.kill(wait_seconds)
        if not self.over:
            self.cancelled = True

    def poll(self) -> bool:
        """Takes in what arrived. Returns whether anything changed."""
        changed = False
        while not self.over and (item := self._process.receive()) is not None:
            changed = True
            try:
                self._receive(item)
            except protocol.ProtocolError as error:
                self._process.kill()
                self.error = BackendError("protocol", f"{self.name} sent garbage. {error}", "Try again.")
        return changed

    def _receive(self, item: protocol.Frame | Ended) -> None:
        if isinstance(item, Ended):
            how = f"exit code {item.code}" if item.code >= 0 else f"signal {-item.code}: {signal.strsignal(-item.code)}"
            said = " / ".join(self.log[-LAST_WORDS:]) or item.garbage or ""
            self.error = BackendError(
                "errand_ended",
                f'{self.name} ended unexpectedly ({how}). Its last words: "{said}".',
                "Try again: what is there already is kept.",
            )
            return
        header = item.header
        match item.type:
            case "progress":
                self.stage, self.step, self.total = protocol.parse_progress(header)
            case "done" if isinstance(header.get("result"), dict):
                self.result = header["result"]
            case "error":
                self.error = protocol.parse_error(header)
            case unknown:
                raise protocol.ProtocolError(f"The message {unknown[:40]!r} is unknown.")
