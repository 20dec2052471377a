# SPDX-License-Identifier: GPL-3.0-or-later
"""Pickled lists, dictionaries, texts and whole numbers, read without unpickling: nothing in the file is ever called.

The published vocabularies come as pickles. What a pickle does is told by its opcodes; those that build anything else
(classes, calls, persistent ids, extensions) end the reading.
"""

from __future__ import annotations

import pickletools
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_BYTES: Final = 4 << 20
"""The published files hold some thousand words. An opcode of one byte can cost a hundred of memory."""

_VALUES: Final = frozenset(
    {"BININT", "BININT1", "BININT2", "INT", "LONG1"} | {"BINUNICODE", "BINUNICODE8", "SHORT_BINUNICODE", "UNICODE"}
)
_KEEPS: Final = frozenset({"BINPUT", "LONG_BINPUT", "PUT"})
_FETCHES: Final = frozenset({"BINGET", "LONG_BINGET", "GET"})


def read_plain(path: Path) -> Any:  # noqa: ANN401  a list, dictionary, text or number
    """Raises ValueError where the file holds anything else or is too large, OSError where it cannot be read."""
    with path.open("rb") as stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES >> 20} MB")
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name == "STOP":
                return machine.result()
            machine.step(opcode.name, argument)
    except (IndexError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is damaged") from error
    raise ValueError("it has no end")


class _Machine:
    """The stack that the opcodes work on. It is never deeper than they are many, and nothing in it recurs."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._outer: list[list[Any]] = []
        """What was on the stack before each mark."""
        self._memory: dict[int, Any] = {}
        self._actions: dict[str, Callable[[], None]] = {
            "MARK": self._mark,
            "EMPTY_LIST": lambda: self._push([]),
            "EMPTY_DICT": lambda: self._push({}),
            "LIST": lambda: self._push(self._since_mark()),
            "DICT": lambda: self._push(_pairs(self._since_mark())),
            "APPEND": lambda: self._into(list, [self._stack.pop()]),
            "APPENDS": lambda: self._into(list, self._since_mark()),
            "SETITEM": lambda: self._into(dict, [self._stack.pop(-2), self._stack.pop()]),
            "SETITEMS": lambda: self._into(dict, self._since_mark()),
            "MEMOIZE": lambda: self._keep(len(self._memory)),
            "PROTO": lambda: None,
            "FRAME": lambda: None,
        }

    def step(self, name: str, argument: Any) -> None:  # noqa: ANN401  whatever an opcode carries
        if name in _VALUES:
            if type(argument) not in (str, int):  # INT also spells out booleans
                raise ValueError(f"it holds a {type(argument).__name__}")
            self._push(argument)
        elif name in _KEEPS:
            self._keep(argument)
        elif name in _FETCHES:
            self._push(self._memory[argument])
        elif name in self._actions:
            self._actions[name]()
        else:
            raise ValueError(f"it holds more than lists, texts and numbers ({name})")

    def result(self) -> Any:  # noqa: ANN401
        if self._outer or len(self._stack) != 1:
            raise ValueError("it is damaged")
        return self._stack[0]

    def _push(self, value: Any) -> None:  # noqa: ANN401
        self._stack.append(value)

    def _keep(self, place: int) -> None:
        self._memory[place] = self._stack[-1]

    def _mark(self) -> None:
        self._outer.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        found, self._stack = self._stack, self._outer.pop()
        return found

    def _into(self, kind: type, values: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not kind:
            raise ValueError("it is damaged")
        if kind is dict:
            target.update(_pairs(values))
        else:
            target.extend(values)


def _pairs(values: list[Any]) -> dict[Any, Any]:
    return dict(zip(values[::2], values[1::2], strict=True))
