# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about the library over the wire, to a backend in a real process."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gaits import gait
from serving import Serving, serve_words

from backend import protocol
from backend.errors import BackendError
from backend.library_messages import Question, encode_question, parse_answer, parse_question
from backend.motion.rebuild import rebuilt
from backend.motion.skeleton import FPS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backend.library_messages import Answer
    from backend.text import TextEncoder

CAPTION = "a person waves at the moon"
MOTION = rebuilt(*gait(60, 0.1, 0.3), FPS)
ADD = Question("add", captions=(CAPTION,), source="own work", licence="CC0-1.0", tags=("wave",), motion=MOTION)
numbers = iter(range(1, 1000))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory, encoder: TextEncoder) -> Iterator[Serving]:
    words = serve_words(tmp_path_factory.mktemp("model") / "random", encoder)
    with Serving(*words, "--libraries", str(folder / "libraries")) as serving:
        yield serving


def last(server: Serving, number: int) -> protocol.Frame:
    return server.until(lambda frame: frame.id == number and frame.type in ("library", "error", "done"))[-1]


def ask(server: Serving, question: Question) -> Answer:
    number = next(numbers)
    server.write(encode_question(number, question))
    frame = last(server, number)
    if frame.type == "error":
        raise protocol.parse_error(frame.header)
    return parse_answer(frame)


def test_a_clip_that_was_added_guides_the_next_take_until_it_is_removed(server: Serving) -> None:
    before = ask(server, Question("list"))
    assert [(each.name, each.own) for each in before.libraries] == [("library", False)]
    added = ask(server, ADD)
    assert [(each.name, each.clips, each.own) for each in added.libraries][1:] == [("own", 1, True)]
    found = ask(server, Question("search", text="waving at the moon", seconds=3.0, count=3)).found
    assert (found[0].library, found[0].clip, found[0].caption) == ("own", added.clip, CAPTION)
    assert found[0].licence == "CC0-1.0"
    assert ask(server, Question("search")).found[0].caption == CAPTION
    motion = ask(server, Question("clip", library="own", clip=added.clip)).motion
    assert motion is not None
    # The clip begins at the origin; float16 keeps half a millimetre.
    placed = MOTION.positions - MOTION.root[:1, None] * [1.0, 0.0, 1.0]
    assert np.abs(motion.positions - placed).max() < 0.002

    number = next(numbers)
    server.generate(number, CAPTION, seconds=3.0)
    takes = [frame for frame in server.outcome(number) if frame.type == "take"]
    assert "own" in {each["library"] for each in takes[0].header["provenance"]["references"]}
    removed = ask(server, Question("remove", library="own", clip=added.clip))
    assert removed.libraries[1].clips == 0
    assert not ask(server, Question("search")).found


def test_a_library_is_saved_loaded_and_taken_out(server: Serving, folder: Path) -> None:
    ask(server, ADD)
    file = str(folder / "shared.sqlite")
    ask(server, Question("save", path=file))
    assert "shared" in {each.name for each in ask(server, Question("load", path=file)).libraries}
    assert {each.library for each in ask(server, Question("search", text=CAPTION, count=2)).found} == {"own", "shared"}
    with pytest.raises(BackendError, match="already"):
        ask(server, Question("load", path=file))
    assert "shared" not in {each.name for each in ask(server, Question("unload", library="shared")).libraries}


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (Question("remove", library="library", clip=1), "not one of your own"),
        (Question("remove", library="own", clip=99), "no clip 99"),
        (Question("clip", library="nowhere", clip=1), "no library"),
        (Question("load", path="shared.sqlite"), "not a full path"),
        (Question("add", captions=("",), licence="CC0-1.0", motion=MOTION), "captions are missing"),
        (Question("add", captions=(CAPTION,), motion=MOTION), "licence is not stated"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_done_is_told(server: Serving, question: Question, told: str) -> None:
    with pytest.raises(BackendError, match=told) as caught:
        ask(server, question)
    assert caught.value.remedy


def test_a_backend_without_a_folder_says_what_to_do(
    tmp_path_factory: pytest.TempPathFactory, encoder: TextEncoder
) -> None:
    with Serving(*serve_words(tmp_path_factory.mktemp("model") / "random", encoder)) as serving:
        with pytest.raises(BackendError, match="--libraries"):
            ask(serving, ADD)
        assert ask(serving, Question("search", text="walk")).found


BAD: list[dict[str, Any]] = [
    {},
    {"verb": 3},
    {"verb": "burn"},
    {"verb": "search", "count": 0},
    {"verb": "search", "count": True},
    {"verb": "search", "text": None},
    {"verb": "search", "unknown": 1},
    {"verb": "clip", "clip": -1},
    {"verb": "add"},
    {"verb": "add", "captions": [1]},
]


@pytest.mark.parametrize("fields", BAD, ids=str)
def test_what_is_no_question_is_refused(fields: dict[str, Any]) -> None:
    frame = protocol.read(io.BytesIO(protocol.encode({"type": "library", "id": 1, **fields})))
    assert frame
    with pytest.raises(protocol.ProtocolError):
        parse_question(frame)


def test_a_question_comes_back_as_it_was() -> None:
    frame = protocol.read(io.BytesIO(encode_question(7, ADD, "starter")))
    assert frame
    back = parse_question(frame)
    assert (back.captions, back.tags, back.verb) == (ADD.captions, ADD.tags, "add")
    assert back.motion
    np.testing.assert_array_equal(back.motion.positions, MOTION.positions)
