# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of strangers run no code, take no memory beyond their size and write nowhere but where they belong."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import struct
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hunger import measured
from random_model import CONFIG, save_random_model
from safetensors.torch import load_file, save_file

from backend.errors import BackendError
from backend.library import Library
from backend.library.archive import columns
from backend.library.official import import_official as import_database
from backend.library.shelf import Shelf
from backend.model_card import ModelCard, read_card
from backend.model_folder import CARD, WEIGHTS, load_model
from backend.models import list_models
from backend.motion.bvh import MAX_POSES, parse_bvh
from backend.motion.features import FeatureLayout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from backend.text import TextEncoder

LITTLE = 128 << 20
HUGE = 100_000

fault = pytest.mark.fault("hostile library, model or motion file")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_random_model(tmp_path / "model")
    return tmp_path / "model"


def refused(work: Callable[[], object], code: str) -> str:
    """What is said; the refusal takes little memory."""
    with measured() as peak, pytest.raises(BackendError) as caught:
        work()
    assert peak.bytes < LITTLE, f"{peak.bytes / 1e6:.0f} MB"
    assert caught.value.code == code
    assert caught.value.remedy
    return caught.value.message


def rewrite(folder: Path, changes: dict[str, int], **tensors: torch.Tensor) -> None:
    """A card with other sizes, and weights that it fits, hash and all."""
    save_file(load_file(folder / WEIGHTS) | tensors, folder / WEIGHTS)
    card = read_card(folder / CARD)
    text = replace(card, weights_sha256=hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()).to_toml()
    for name, size in changes.items():
        old = f"\n{name} = {getattr(card.config, name)}\n"
        assert old in text
        text = text.replace(old, f"\n{name} = {size}\n", 1)
    (folder / CARD).write_text(text, "utf-8")


# 40 GB and more for a file of a megabyte: each size is one that a tensor of the file has.
@fault
@pytest.mark.parametrize(
    "changes",
    [
        {"width": HUGE},
        {"max_frames": HUGE, "width": HUGE},
        {"time_width": HUGE, "feedforward_width": HUGE},
        {"text_feedforward_width": HUGE, "token_width": HUGE},
    ],
    ids=str,
)
def test_a_card_cannot_ask_for_more_than_its_weights_hold(folder: Path, changes: dict[str, int]) -> None:
    rewrite(folder, changes, bait=torch.zeros(HUGE))
    refused(lambda: load_model(folder), "bad_model")


@fault
def test_many_small_layers_are_counted_together(folder: Path) -> None:
    """Each alone would be allowed."""
    names = {f"bait.{number}": torch.zeros(1) for number in range(3000)}
    rewrite(folder, {"layers": 3000, "feedforward_width": 3000}, wide=torch.zeros(3000), **names)
    refused(lambda: load_model(folder), "bad_model")


@fault
def test_sizes_of_empty_tensors_do_not_count(folder: Path) -> None:
    rewrite(folder, {"width": 1 << 40}, bait=torch.zeros(0, 1 << 40))
    refused(lambda: load_model(folder), "bad_model")


@fault
def test_a_header_that_announces_what_is_not_there(folder: Path) -> None:
    header = {"x": {"dtype": "F32", "shape": [HUGE, HUGE], "data_offsets": [0, 4 * HUGE * HUGE]}}
    for text in (json.dumps(header).encode(), b"{" * (1 << 20)):
        (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + bytes(64))
        card = replace(read_card(folder / CARD), weights_sha256=_hash(folder / WEIGHTS))
        (folder / CARD).write_text(card.to_toml(), "utf-8")
        refused(lambda: load_model(folder), "bad_model")
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", 1 << 62))
    (folder / CARD).write_text(replace(card, weights_sha256=_hash(folder / WEIGHTS)).to_toml(), "utf-8")
    refused(lambda: load_model(folder), "bad_model")


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@fault
@pytest.mark.parametrize("what", ["endless", "pipe", "link to a device"])
@pytest.mark.parametrize("file", [CARD, WEIGHTS])
def test_a_file_without_an_end(folder: Path, file: str, what: str) -> None:
    (folder / file).unlink()
    _endless(folder / file, what)
    refused(lambda: load_model(folder), "bad_model")
    if file == CARD:
        with measured() as peak:
            assert [model.name for model in list_models([folder.parent])] == ["starter"]
        assert peak.bytes < LITTLE


def _endless(path: Path, what: str) -> Path:
    if what == "endless":
        with path.open("wb") as stream:
            stream.truncate(1 << 30)  # takes no room on the disk
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    return path


@fault
@pytest.mark.parametrize("shape", [(1 << 40,), (4, 1 << 30), (1 << 62, 2)], ids=str)
def test_a_database_that_announces_what_is_not_there(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "database.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("motions.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})  # pyright: ignore

    def read() -> None:
        with columns(path, ("motions",)) as found:
            found["motions"].read(1)

    refused(read, "bad_database")


ROWS = {
    "text_features": ("<f4", (512,)),
    "captions": ("<U40", ()),
    "motions": ("<f4", (16, 263)),
    "m_lengths": ("<i8", ()),
    "clip_seq_features": ("<f2", (77, 512)),
}


@fault
def test_a_database_that_announces_more_than_the_disk_holds(tmp_path: Path) -> None:
    """As a compressed file of a few megabytes could hold it."""
    path = tmp_path / "database.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, (dtype, row) in ROWS.items():
            with archive.open(f"{name}.npy", "w") as stream:
                header = {"descr": dtype, "fortran_order": False, "shape": (1 << 40, *row)}
                np.lib.format.write_array_header_1_0(stream, header)  # pyright: ignore
    config = replace(CONFIG, features=263, max_frames=16, token_width=512, reference_token_width=512)
    card = ModelCard("small", "1", "CC0-1.0", "clip-vit-b-32", config, FeatureLayout())
    output = tmp_path / "library.sqlite"
    refused(lambda: import_database(path, output, card, np.zeros(263), np.ones(263)), "disk_full")
    assert set(tmp_path.iterdir()) == {path}


@fault
@pytest.mark.parametrize("what", ["pipe", "link to a device"])
def test_a_database_without_an_end(tmp_path: Path, what: str) -> None:
    path = _endless(tmp_path / "database.npz", what)

    def read() -> None:
        with columns(path, ("motions",)):
            pass

    refused(read, "bad_database")


TRAPS = [
    "CREATE VIEW everything AS SELECT * FROM clips",
    "CREATE TRIGGER trap AFTER INSERT ON texts BEGIN DELETE FROM clips; END",
    "CREATE INDEX slow ON clips (frames)",
    "CREATE TABLE more (id INTEGER)",
    "CREATE VIRTUAL TABLE files USING fts5(text)",
    "ALTER TABLE clips ADD COLUMN more TEXT",
]


@fault
@pytest.mark.parametrize("trap", TRAPS)
def test_a_library_with_more_than_its_tables(library_file: Path, encoder: TextEncoder, trap: str) -> None:
    _change(library_file, trap)
    refused(lambda: Library.open(library_file), "library_foreign")
    refused(lambda: Shelf(library_file.parent / "own", encoder).load(library_file), "library_foreign")


@fault
def test_a_view_in_the_place_of_a_table(library_file: Path) -> None:
    """It would be asked whenever we think that we read a table."""
    _change(library_file, "ALTER TABLE texts RENAME TO real_texts", "CREATE VIEW texts AS SELECT * FROM real_texts")
    refused(lambda: Library.open(library_file), "library_foreign")


def _change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


NAMES = ["../outside", "/outside", "a/b", ".hidden", "..", "", "a\\b", "x" * 200, "new\nline", "CON:", "own\0"]


@fault
@pytest.mark.parametrize("name", NAMES)
def test_a_library_names_no_file_outside(library_file: Path, encoder: TextEncoder, name: str, tmp_path: Path) -> None:
    connection = sqlite3.connect(library_file)
    connection.execute("UPDATE library SET name = ?", (name,))
    connection.commit()
    connection.close()
    before = _files(tmp_path)
    refused(lambda: Shelf(tmp_path / "own", encoder).load(library_file), "library_name")
    assert _files(tmp_path) - before <= {tmp_path / "own"}


@fault
def test_links_do_not_lead_a_writer_elsewhere(library_file: Path, encoder: TextEncoder, tmp_path: Path) -> None:
    letter, own = tmp_path / "letter.txt", tmp_path / "own"
    letter.write_text("Dear Ada")
    own.mkdir()
    for name in ("gaits.sqlite.new", "own.sqlite.new"):
        (own / name).symlink_to(letter)
    shelf = Shelf(own, encoder)
    assert shelf.load(library_file) == "gaits"
    shelf.save("gaits", tmp_path / "copy.sqlite")
    assert letter.read_text() == "Dear Ada"
    with pytest.raises(BackendError):
        shelf.save("gaits", letter)
    assert letter.read_text() == "Dear Ada"


def _files(folder: Path) -> set[Path]:
    # Readers of a library share two small files beside it.
    return {path for path in folder.rglob("*") if not path.name.endswith(("-wal", "-shm"))}


def bvh(joints: int, frames: int, numbers: Iterator[str] | str = "") -> str:
    lines = ["HIERARCHY", "ROOT j0", "{", "OFFSET 0 0 0", "CHANNELS 3 Xrotation Yrotation Zrotation"]
    for number in range(1, joints):
        lines += [f"JOINT j{number}", "{", "OFFSET 0 1 0", "CHANNELS 3 Xrotation Yrotation Zrotation"]
    text = "".join(numbers)
    return "\n".join([*lines, *("}" for _ in range(joints)), "MOTION", f"Frames: {frames}", "Frame Time: 0.01", text])


@fault
def test_a_motion_file_that_announces_what_is_not_there() -> None:
    refused(lambda: parse_bvh(bvh(2, 10**15)), "bad_motion")
    refused(lambda: parse_bvh(bvh(2, 1000, "0 " * 10)), "bad_motion")
    refused(lambda: parse_bvh(bvh(2, 2, "0 0 0 x 0 0 0 0 0 0 0 0")), "bad_motion")
    assert "several files" in refused(lambda: parse_bvh(bvh(60, MAX_POSES // 60, "0 " * 10)), "bad_motion")


@fault
def test_a_motion_file_takes_little_more_than_its_numbers() -> None:
    joints, frames = 60, 10_000
    text = bvh(joints, frames, "0 " * (joints * frames * 3))
    with measured() as peak:
        assert parse_bvh(text).values.shape == (frames, 3 * joints)
    assert peak.bytes < 8 * joints * frames * 3 + 3 * len(text)
