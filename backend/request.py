# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into generation and what comes out: a Request becomes Takes, each with its References."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .errors import BackendError
from .motion.skeleton import FPS

if TYPE_CHECKING:
    from .motion.clip import Motion

MIN_FRAMES: Final = 16
MAX_FRAMES: Final = 196
MIN_SECONDS: Final = MIN_FRAMES / FPS
MAX_SECONDS: Final = MAX_FRAMES / FPS
MAX_COUNT: Final = 16
MAX_PROMPT: Final = 1000
QUALITIES: Final = ("full", "fast")


@dataclass(frozen=True, slots=True)
class Request:
    """What the animator asked for. Checked when made: a Request that exists is valid.

    `quality`: "full" samples as the model's card says, "fast" in fewer steps (docs/evaluation.md has what it costs).
    """

    prompt: str
    seconds: float
    seed: int = 0
    count: int = 1
    quality: str = "full"

    def __post_init__(self) -> None:
        if not self.prompt.strip():
            raise BackendError(
                "bad_request", "The prompt is empty.", 'Describe the motion, for example "a person walks forward".'
            )
        if len(self.prompt) > MAX_PROMPT:
            raise BackendError(
                "bad_request",
                f"The prompt has {len(self.prompt)} characters, the limit is {MAX_PROMPT}.",
                "Describe one motion in a sentence or two.",
            )
        # `not (a <= x <= b)` also catches NaN.
        if not (MIN_SECONDS <= self.seconds <= MAX_SECONDS):
            raise BackendError(
                "bad_request",
                f"A clip of {self.seconds:g} seconds cannot be generated.",
                f"Choose between {MIN_SECONDS:g} and {MAX_SECONDS:g} seconds.",
            )
        if not 0 <= self.seed < 2**31 - MAX_COUNT:
            raise BackendError(
                "bad_request", f"The seed {self.seed} is out of range.", f"Choose 0 to {2**31 - MAX_COUNT - 1}."
            )
        if not 1 <= self.count <= MAX_COUNT:
            raise BackendError(
                "bad_request", f"{self.count} takes were asked for.", f"Choose between 1 and {MAX_COUNT} takes."
            )
        if self.quality not in QUALITIES:
            raise BackendError(
                "bad_request", f'There is no quality "{self.quality[:40]}".', f"Choose {' or '.join(QUALITIES)}."
            )

    @property
    def frames(self) -> int:
        return round(self.seconds * FPS)


@dataclass(frozen=True, slots=True)
class Reference:
    """A clip of a motion library that guided the sampling. `score` is the hybrid retrieval score, 0..1."""

    library: str
    clip: int
    caption: str
    score: float
    frames: int
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything needed to sample a take again; ends as custom properties of the action."""

    prompt: str
    seconds: float
    seed: int
    model: str
    model_hash: str
    licence: str
    sampler: dict[str, Any] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain JSON values."""
        return asdict(self) | {"references": [asdict(reference) for reference in self.references]}


@dataclass(frozen=True, slots=True)
class Take:
    """One sampled variation. Take k of a request is the take of the seed `request.seed + k` alone."""

    motion: Motion
    provenance: Provenance
