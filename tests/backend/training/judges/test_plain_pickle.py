# SPDX-License-Identifier: GPL-3.0-or-later
"""Pickles of words and numbers are read as pickle reads them; whatever could do something is refused."""

from __future__ import annotations

import contextlib
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from backend.training.judges.plain_pickle import MOST_BYTES, read_plain

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = [f"word{number}" for number in range(3000)] + ["", "naïve", "走", "a", "a" * 300, "x" * 70000]
VALUES: dict[str, Any] = {
    "words": WORDS,
    "rows": {word: number for number, word in enumerate(WORDS)},
    "numbers": [0, 1, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**60, -(2**70)],
    "nothing": [],
    "nested": {"a": [{"b": [1, [2, "c"]]}, {}], "b": {}},
    "one": [7],
    "a text": "a",
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_words_and_numbers_are_read_as_pickle_reads_them(tmp_path: Path, value: object, protocol: int) -> None:
    path = tmp_path / "value.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    try:
        found = read_plain(path)
    except ValueError:
        # Only what the oldest form writes as text is not read: numbers beyond 32 bits.
        assert protocol < 2
        assert value is VALUES["numbers"]
        return
    assert found == value
    assert type(found) is type(value)


class _Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("code_was_run"),)


FOREIGN: dict[str, object] = {
    "code": _Code(),
    "code in a list": ["a", _Code()],
    "code as a key": {_Code(): 1},
    "a class": Path,
    "an array": np.zeros(3),
    "a tuple": ("a", "b"),
    "a set": {"a"},
    "bytes": b"a",
    "a truth": [True],
    "nothing": None,
    "a fraction": [0.5],
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", FOREIGN.values(), ids=FOREIGN)
def test_anything_else_is_refused_and_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object, protocol: int
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "value.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    with pytest.raises(ValueError, match="it "):
        read_plain(path)
    assert not Path("code_was_run").exists()


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no end": pickle.dumps(WORDS)[:-1],
    "no pickle": b"hello\n",
    "an append to nothing": b"\x80\x04K\x01a.",
    "an append to a number": b"\x80\x04K\x01K\x02a.",
    "a pair without a value": b"\x80\x04}(K\x01u.",
    "two values": b"\x80\x04K\x01K\x02.",
    "no value": b"\x80\x04.",
    "an open mark": b"\x80\x04(K\x01.",
    "a place that was not kept": b"\x80\x04h\x07.",
    "a list as a key": b"\x80\x04}]K\x01s.",
    "a text longer than the file": b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
    "too large": b"]" * (MOST_BYTES + 1),
    "a place below zero": b"p-1\n.",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_pickle_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "value.pkl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"\w"):
        read_plain(path)


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: None], ids=["a folder", "no file"])
def test_what_is_no_file_is_told_as_such(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "value.pkl")
    with pytest.raises(OSError, match="value"):
        read_plain(tmp_path / "value.pkl")


def test_a_list_that_holds_itself_ends(tmp_path: Path) -> None:
    value: list[Any] = []
    value.append(value)
    (tmp_path / "value.pkl").write_bytes(pickle.dumps(value))
    found = read_plain(tmp_path / "value.pkl")
    assert found[0] is found


@pytest.mark.filterwarnings("ignore:invalid escape")
def test_random_damage_ends_in_a_value_or_a_refusal(tmp_path: Path) -> None:
    path, rng = tmp_path / "value.pkl", np.random.default_rng(0)
    content = pickle.dumps(VALUES["nested"] | VALUES["rows"], 4)[:4000] + b"u."
    for _ in range(300):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 3):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        with contextlib.suppress(ValueError):
            read_plain(path)
