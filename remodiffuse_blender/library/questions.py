# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sidebar knows of the libraries, and its questions to the backend, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from .. import backend_choice, preferences, takes
from ..shared import BackendError
from ..shared import library_messages as messages

if TYPE_CHECKING:
    import bpy

    from ..client.job import Inquiry

Done = Callable[[messages.Answer], None]


class Asking(NamedTuple):
    """A question, and what is done with its answer."""

    question: messages.Question
    done: Done


@dataclass
class Desk:
    """What is known of the libraries, and what was asked; nothing of it is saved."""

    libraries: tuple[messages.Shown, ...] = ()
    asked: Inquiry | None = None
    done: Done | None = None
    wanted: Asking | None = None
    """A search that waits until the question before it is answered: of several only the newest."""
    answered: Asking | None = None
    """The search whose results are shown."""
    error: BackendError | None = None
    note: str = ""
    tasks: list[Asking] = field(default_factory=list)
    """Questions that wait in line."""


desk: Final = Desk()


def check(context: bpy.types.Context) -> None:
    """Raises `BackendError` where nobody could answer."""
    backend_choice.check(context)


def is_own(name: str) -> bool:
    return any(each.own and each.name == name for each in desk.libraries)


def ask(context: bpy.types.Context, question: messages.Question, done: Done, *, look_again: bool = False) -> None:
    """Puts a question in line. With `look_again` the search is repeated after its answer."""
    desk.error, desk.note = None, ""

    def finish(answer: messages.Answer) -> None:
        done(answer)
        if look_again:
            search_again()

    desk.tasks.append(Asking(question, finish))
    send_next(context)


def search_again() -> None:
    """What is shown may have changed."""
    if desk.answered:
        desk.wanted = desk.answered


def noted(text: str) -> Done:
    """Says so once the answer is there."""

    def note(_: messages.Answer) -> None:
        desk.note = text

    return note


def send_next(context: bpy.types.Context) -> None:
    """Sends the next question where none is on its way."""
    if desk.asked:
        return
    if desk.tasks:
        question, desk.done = desk.tasks.pop(0)
    elif desk.wanted:
        (question, desk.done), desk.wanted = desk.wanted, None
    else:
        return
    model = preferences.get(context).model.strip()
    try:
        desk.asked = takes.session.client.ask(question, backend_choice.command(context), model)
    except BackendError as error:
        desk.error = error
        raise
    takes.pump.start()


def take_in() -> bool:
    """The answer, if it has come. Returns whether anything changed."""
    inquiry = desk.asked
    if not inquiry or not inquiry.over:
        return False
    desk.asked, done = None, desk.done
    desk.error = inquiry.error
    if inquiry.answer and done:
        desk.libraries = inquiry.answer.libraries
        try:
            done(inquiry.answer)
            if inquiry.question.verb == "search":
                desk.answered = Asking(inquiry.question, done)
        except BackendError as error:
            desk.error = error
    return True


def go_on(context: bpy.types.Context) -> None:
    """Sends what waits in line; where that fails, nothing waits any more."""
    try:
        send_next(context)
    except BackendError as error:
        desk.error = error
        desk.tasks.clear()
        desk.wanted = None


def clear() -> None:
    desk.asked, desk.wanted, desk.error, desk.note = None, None, None, ""
    desk.tasks.clear()
