# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into generation and what comes out: a Request becomes Takes, each with its References."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .errors import BackendError
from .motion.skeleton import FPS, JOINTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .motion.clip import Motion

MIN_FRAMES: Final = 16
MAX_FRAMES: Final = 196
MIN_SECONDS: Final = MIN_FRAMES / FPS
MAX_SECONDS: Final = MAX_FRAMES / FPS
MAX_COUNT: Final = 16
MAX_PROMPT: Final = 1000
QUALITIES: Final = ("full", "fast")
MAX_CHOICES: Final = 64
MAX_PARTS: Final = 16
MAX_SCALE: Final = 4.0

ClipKey = tuple[str, int]
"""A clip among several libraries: the library's name and the clip's id in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """A motion of which a part is made anew. Checked when made.

    `motion` has the request's frames at 20 fps, on the canonical skeleton but anywhere on the floor. `free`
    (T, 22; bool) says which joints of which frames may change; the pelvis stands for the way and the heading too.
    What is not free comes back as it is. What stands in a frame that is free in all joints is only a suggestion.
    """

    motion: Motion
    free: NDArray[np.bool_]

    def __post_init__(self) -> None:
        frames, joints = self.motion.frames, len(JOINTS)
        if self.free.shape != (frames, joints) or self.free.dtype != np.bool_ or abs(self.motion.fps - FPS) > 1e-6:
            raise BackendError("bad_request", "The motion to change has the wrong form.", "Select it again.")
        if not MIN_FRAMES <= frames <= MAX_FRAMES:
            raise BackendError(
                "bad_request",
                f"A motion of {frames / FPS:g} seconds cannot be changed at once.",
                f"Choose a range of {MIN_SECONDS:g} to {MAX_SECONDS:g} seconds.",
            )
        if not self.free.any():
            raise BackendError("bad_request", "Nothing of the motion may change.", "Choose frames and body parts.")


@dataclass(frozen=True, slots=True)
class Request:
    """What the animator asked for. Checked when made: a Request that exists is valid.

    `quality`: "full" samples as the model's card says, "fast" in fewer steps (docs/evaluation.md has what it costs).
    `balance` leans towards the text (-1) or the references (1); `scale` multiplies the mixture's extrapolation.
    `pinned` clips are always among the references, `banned` ones never.
    `then`: further prompts with their seconds, which follow in one continuous motion.
    `canvas`: a motion to change, starting from its own noise level `strength`; 1 makes its free part afresh.
    """

    prompt: str
    seconds: float
    seed: int = 0
    count: int = 1
    quality: str = "full"
    balance: float = 0.0
    scale: float = 1.0
    pinned: tuple[ClipKey, ...] = ()
    banned: tuple[ClipKey, ...] = ()
    then: tuple[tuple[str, float], ...] = ()
    strength: float = 1.0
    canvas: Canvas | None = None

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

        self._check_guidance()
        self._check_parts()

    def _check_guidance(self) -> None:
        if not -1.0 <= self.balance <= 1.0 or not 0.0 <= self.scale <= MAX_SCALE:
            raise BackendError(
                "bad_request",
                "The mixture settings are out of range.",
                f"Choose a balance from -1 to 1 and a scale from 0 to {MAX_SCALE:g}.",
            )
        if len(self.pinned) + len(self.banned) > MAX_CHOICES:
            raise BackendError(
                "bad_request", "Too many clips are pinned or banned.", f"Keep at most {MAX_CHOICES} of them."
            )
        if not 0.0 < self.strength <= 1.0:
            raise BackendError("bad_request", "The strength is out of range.", "Choose more than 0 and at most 1.")

    def _check_parts(self) -> None:
        if len(self.then) >= MAX_PARTS:
            raise BackendError("bad_request", "The row has too many prompts.", f"Keep at most {MAX_PARTS}.")
        if self.canvas is not None and self.then:
            raise BackendError("bad_request", "A row of prompts cannot change a motion.", "Use one prompt.")
        if self.canvas is not None and self.canvas.motion.frames != self.frames:
            raise BackendError("bad_request", "The motion to change has another length.", "Select it again.")
        # Every part must be a request of its own.
        _ = self.parts

    @property
    def parts(self) -> tuple[Request, ...]:
        """One request for each prompt of the row."""
        alone = replace(self, then=()) if self.then else self
        return (alone, *(replace(alone, prompt=prompt, seconds=seconds) for prompt, seconds in self.then))

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
