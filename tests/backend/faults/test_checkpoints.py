# SPDX-License-Identifier: GPL-3.0-or-later
"""Official checkpoints and statistics of strangers: no code is run, and no more memory taken than the file has."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hunger import measured
from official_files import write_statistics
from torch._utils import _rebuild_tensor_v2

from backend.commands.model import import_official
from backend.errors import BackendError
from backend.model.importer import read_statistics

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LITTLE = 128 << 20

fault = pytest.mark.fault("hostile library, model or motion file")


class Storage:
    """Where the numbers of a tensor lie, and how many of them there are said to be."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.count = name, count


class Call:
    """What the one who reads the file is to call."""

    def __init__(self, function: Callable, *words: object) -> None:
        self.function, self.words = function, words

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.words


class Pickler(pickle.Pickler):
    def persistent_id(self, obj: object) -> Any:  # noqa: ANN401
        return ("storage", torch.FloatStorage, obj.name, "cpu", obj.count) if isinstance(obj, Storage) else None


def tensor(count: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Call:
    return Call(_rebuild_tensor_v2, Storage("0", count), 0, shape, strides, False, OrderedDict())


def write(path: Path, state: dict[str, object], packing: int = zipfile.ZIP_STORED) -> Path:
    """A checkpoint as torch.save would write it, of anything. Its one storage has four numbers."""
    stream = io.BytesIO()
    Pickler(stream, 2).dump({"state_dict": state})
    members = {"data.pkl": stream.getvalue(), "byteorder": "little", "version": "3\n", "data/0": bytes(16)}
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(f"archive/{name}", content)
    return path


def refused(path: Path) -> str:
    """What is said; it takes little memory, nothing is written."""
    folder = path.parent
    before = set(folder.iterdir())
    with measured() as peak, pytest.raises(BackendError) as caught:
        import_official(path, folder, folder / "model")
    assert peak.bytes < LITTLE, f"{peak.bytes / 1e6:.0f} MB"
    assert caught.value.code == "bad_checkpoint"
    assert caught.value.remedy
    assert set(folder.iterdir()) == before
    return caught.value.message


HOSTILE: dict[str, dict[str, object]] = {
    "a storage that claims more than the file holds": {"a": tensor(1 << 40, (1 << 40,), (1,))},
    "a view that shows one number a million million times": {"a": tensor(4, (1 << 40,), (0,))},
    "many such views": {f"layer.{number}": tensor(4, (1 << 28,), (0,)) for number in range(50)},
    "a call that takes memory": {"a": Call(bytearray, 1 << 34)},
    "a call that makes a tensor": {"a": Call(torch.Tensor, 1 << 33)},
    "a call that runs a program": {"a": Call(os.system, "touch code_was_run")},
}


@fault
@pytest.mark.parametrize("what", HOSTILE)
def test_a_checkpoint_that_takes_more_than_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.chdir(tmp_path)
    refused(write(tmp_path / "latest.pth", HOSTILE[what]))


@fault
def test_the_harmless_one_is_read_and_only_lacks_the_text_encoder(tmp_path: Path) -> None:
    """So that the others are refused for what they do, not for how this file writes them."""
    assert "lacks the text encoder" in refused(write(tmp_path / "latest.pth", {"a": tensor(4, (2, 2), (2, 1))}))


@fault
def test_a_checkpoint_that_unpacks_to_more_than_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "latest.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("archive/data/0", bytes(400 << 20))
    assert path.stat().st_size < 4 << 20
    assert "unpacks to more" in refused(path)
    assert "unpacks to more" in refused(write(path, {"a": tensor(4, (4,), (1,))}, zipfile.ZIP_DEFLATED))


@fault
def test_two_tables_in_one_archive(tmp_path: Path) -> None:
    """Which one is read would depend on who reads."""
    path = write(tmp_path / "latest.pth", {"a": tensor(4, (4,), (1,))})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other/data.pkl", b"")
    assert "no archive of PyTorch's" in refused(path)


@fault
@pytest.mark.parametrize("what", ["of an old PyTorch", "pipe", "link to a device", "endless"])
def test_a_checkpoint_that_is_none(tmp_path: Path, what: str) -> None:
    path = tmp_path / "latest.pth"
    if what == "of an old PyTorch":
        torch.save({"state_dict": {"a": torch.zeros(4)}}, path, _use_new_zipfile_serialization=False)
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "endless":
        with path.open("wb") as stream:
            stream.truncate(1 << 30)  # takes no room on the disk
    else:
        path.symlink_to("/dev/zero")
    refused(path)


@fault
@pytest.mark.parametrize("what", ["claims more", "archive", "pipe", "link to a device"])
@pytest.mark.parametrize("name", ["mean", "std"])
def test_statistics_that_take_more_than_they_have(tmp_path: Path, name: str, what: str) -> None:
    folder = write_statistics(tmp_path / "stats", 263)
    path = folder / f"{name}.npy"
    path.unlink()
    if what == "claims more":
        with path.open("wb") as stream:
            header = {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)}
            np.lib.format.write_array_header_1_0(stream, header)  # pyright: ignore
    elif what == "archive":
        with path.open("wb") as stream:
            np.savez_compressed(stream, values=np.zeros(1 << 20))
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with measured() as peak, pytest.raises(BackendError) as caught:
        read_statistics(folder, 263)
    assert peak.bytes < LITTLE
    assert caught.value.code == "bad_statistics"
