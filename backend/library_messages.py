# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about the motion library on the wire, and their answers. Standard library and numpy only.

A question is a frame of type `library` with a `verb`; docs/protocol.md shows them by example.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from . import protocol
from .errors import BackendError

if TYPE_CHECKING:
    from .motion.clip import Motion
    from .request import Reference

VERBS: Final = ("list", "search", "clip", "add", "remove", "load", "save", "unload")
MAX_FOUND: Final = 200
MAX_LIBRARIES: Final = 1000
MAX_TEXT: Final = 4000
"""Characters of a text on the wire: captions, paths, sources."""

_TYPES: Final = {
    "verb": str,
    "text": str,
    "seconds": (int, float),
    "count": int,
    "library": str,
    "clip": int,
    "path": str,
    "captions": list,
    "source": str,
    "licence": str,
    "tags": list,
}


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is asked of the library. Checked when made.

    `list` tells which libraries there are. `search` finds `count` clips by `text` for a length of `seconds`; without a
    text the newest clips of the library named, or of the animator's own. `clip` gives the motion of a clip. `add`
    stores `motion` with `captions`, `source`, `licence`, `tags` in the animator's own library. `remove` deletes a clip,
    `load` copies a library in from the file `path`, `save` copies one to a file, `unload` takes one out.
    """

    verb: str
    text: str = ""
    seconds: float = 5.0
    count: int = 20
    library: str = ""
    clip: int = 0
    path: str = ""
    captions: tuple[str, ...] = ()
    source: str = ""
    licence: str = ""
    tags: tuple[str, ...] = ()
    motion: Motion | None = None

    def __post_init__(self) -> None:
        if self.verb not in VERBS:
            raise protocol.ProtocolError(f"The library knows no {self.verb[:40]!r}.")
        texts = (self.text, self.library, self.path, self.source, self.licence, *self.captions, *self.tags)
        if any(len(text) > MAX_TEXT for text in texts):
            raise BackendError(
                "bad_request", "A text is too long for the library.", f"Keep it below {MAX_TEXT} characters."
            )
        if not 1 <= self.count <= MAX_FOUND or not 0 <= self.clip < 1 << 62 or not 0 < self.seconds < 1e6:
            raise protocol.ProtocolError("A number of a question is out of range.")
        if (self.motion is None) == (self.verb == "add"):
            raise protocol.ProtocolError("A motion comes with add alone.")


@dataclass(frozen=True, slots=True)
class Shown:
    """A library as the sidebar lists it. `own` ones can be changed; `problem` says why one cannot be used."""

    name: str
    clips: int
    own: bool
    problem: str


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """`libraries` are always told, `found` by a search, `clip` by add and clip, `motion` by clip."""

    libraries: tuple[Shown, ...]
    found: tuple[Reference, ...] = ()
    clip: int = 0
    motion: Motion | None = None


def encode_question(number: int, question: Question, model: str = "") -> bytes:
    header = {name: getattr(question, name) for name in _TYPES} | ({"model": model} if model else {})
    arrays = protocol.motion_arrays(question.motion) if question.motion else {}
    return protocol.encode({"type": "library", "id": number, **header}, arrays)


def parse_question(frame: protocol.Frame) -> Question:
    """Raises `ProtocolError` on what is no question, `BackendError` on one that cannot be met."""
    told = {name: value for name, value in frame.header.items() if name not in ("type", "id", "model")}
    for name, value in told.items():
        wanted = _TYPES.get(name)
        if wanted is None or not isinstance(value, wanted) or isinstance(value, bool):
            raise protocol.ProtocolError(f"The field {name[:40]!r} of a question is unknown or has the wrong type.")
    if "verb" not in told:
        raise protocol.ProtocolError("A question has no verb.")
    for name in ("captions", "tags"):
        told[name] = tuple(told.get(name, ()))
        if len(told[name]) > 1000 or not all(isinstance(each, str) for each in told[name]):
            raise protocol.ProtocolError(f"The {name} of a question are no texts.")
    motion = protocol.parse_motion(protocol.FPS, frame.arrays) if frame.arrays else None
    return Question(**told, motion=motion)


def encode_answer(number: int, answer: Answer) -> bytes:
    header = {
        "type": "library",
        "id": number,
        "libraries": [asdict(each) for each in answer.libraries],
        "found": [asdict(each) for each in answer.found],
        "clip": answer.clip,
    }
    return protocol.encode(header, protocol.motion_arrays(answer.motion) if answer.motion else {})


def parse_answer(frame: protocol.Frame) -> Answer:
    """Raises `ProtocolError` on what is no answer."""
    libraries, found, clip = (frame.header.get(name) for name in ("libraries", "found", "clip"))
    wanted = {"name": str, "clips": int, "own": bool, "problem": str}
    if not isinstance(libraries, list) or len(libraries) > MAX_LIBRARIES or type(clip) is not int:
        raise protocol.ProtocolError("An answer of the library does not tell the libraries.")
    for each in libraries:
        if (
            not isinstance(each, dict)
            or each.keys() != wanted.keys()
            or not all(type(each[name]) is kind for name, kind in wanted.items())
        ):
            raise protocol.ProtocolError("A library does not have exactly name, clips, own and problem.")
    if not isinstance(found, list) or len(found) > MAX_FOUND:
        raise protocol.ProtocolError("What was found is no list, or too long.")
    motion = protocol.parse_motion(protocol.FPS, frame.arrays) if frame.arrays else None
    references = tuple(protocol.parse_reference(each) for each in found)
    return Answer(tuple(Shown(**each) for each in libraries), references, clip, motion)
