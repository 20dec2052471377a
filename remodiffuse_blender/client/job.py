# SPDX-License-Identifier: GPL-3.0-or-later
"""A request on its way through the backend, as the sidebar sees it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..shared import BackendError, Request, Take
    from ..shared import library_messages as messages


class Outcome(Enum):
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(slots=True, eq=False)
class Job:
    """`outcome` is None while it runs. `takes` is complete once it is DONE, `error` is set once it has FAILED."""

    id: int
    request: Request
    message: bytes
    """What asks for it, as it is sent."""
    again: bool = False
    """Whether it had to be sent a second time."""
    stage: str = "waiting"
    step: int = 0
    total: int = 1
    cancelling: bool = False
    outcome: Outcome | None = None
    takes: list[Take] = field(default_factory=list)
    error: BackendError | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    """Time of each stage in the backend."""
    batch: int = 0
    """How many takes were made at once; fewer than asked for where memory was short."""
    began: tuple[float, int] = (0.0, 0)
    """When the first step of this stage was told of, and which one it was."""
    told: float = 0.0
    """When the last step was told of."""

    def advance(self, stage: str, step: int, total: int) -> None:
        """The backend has come so far."""
        self.told = time.monotonic()
        if stage != self.stage or step < self.step:
            self.began = (self.told, step)
        self.stage, self.step, self.total = stage, step, total

    @property
    def seconds_left(self) -> float | None:
        """Of this stage, at the pace of its steps until now; None before its second step."""
        since, first = self.began
        if self.step <= first:
            return None
        return (self.told - since) / (self.step - first) * (self.total - self.step)


@dataclass(slots=True, eq=False)
class Inquiry:
    """A question about the library on its way; `over` with an answer, an error, or neither where it was given up."""

    id: int
    question: messages.Question
    message: bytes
    """What asks it, as it is sent."""
    again: bool = False
    """Whether it had to be sent a second time."""
    over: bool = False
    answer: messages.Answer | None = None
    error: BackendError | None = None
