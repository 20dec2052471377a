# SPDX-License-Identifier: GPL-3.0-or-later
"""PyTorch checkpoints of strangers: what a file may hold before torch reads it. Nothing in it is run."""

from __future__ import annotations

import pickletools
import warnings
import zipfile
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

if TYPE_CHECKING:
    from pathlib import Path

MAX_MEMBERS: Final = 20_000
"""Files in the archive, one for each tensor; an official one has 542."""
MAX_PICKLE: Final = 16 << 20
"""Bytes of the table that names the tensors; an official one has some hundred thousand."""
STORAGES: Final = {
    f"torch {kind}Storage"
    for kind in ("Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
}
NAMES: Final = STORAGES | {
    "collections OrderedDict",
    "torch Size",
    "torch device",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
}
"""What tensors, numbers and words are made of. PyTorch allows more, also what takes memory without having any:
bytearray(10**10) is ten letters in a file."""


class RefusedError(ValueError):
    """What is wrong with the file, as the end of a sentence that begins with its name."""


def load(path: Path) -> Any:  # noqa: ANN401  whatever was saved
    """Tensors and plain values from a file that takes no more memory than it has bytes.

    Raises RefusedError.
    """
    if not path.is_file():
        raise RefusedError("is no file" if path.exists() else "is not there")
    with path.open("rb") as stream:
        if stream.read(4) != b"PK\x03\x04":
            raise RefusedError("was not saved by PyTorch 1.6 or newer")
    _check_archive(path)
    try:
        return _unpacked(path)
    except RefusedError:
        raise
    except Exception as error:  # a damaged file can make the unpickler fail in any way
        raise RefusedError("cannot be read") from error


def checked_tensors(state: object, most: int) -> dict[str, Tensor]:
    """The tensors of a state dict, in its order: plain numbers, finite, no more than `most` of them.

    A small file can claim a tensor of any size, all of whose numbers lie in one place. Raises RefusedError.
    """
    if not isinstance(state, dict) or not state:
        raise RefusedError("holds no weights")
    if not all(isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()):
        raise RefusedError("holds more than weights")
    if sum(tensor.numel() for tensor in state.values()) > most:
        raise RefusedError("claims to be larger than any such model")
    for name, tensor in state.items():
        plain = tensor.layout == torch.strided and tensor.is_floating_point() and not tensor.is_quantized
        if not plain or not tensor.isfinite().all():
            raise RefusedError(f"has weights that are no numbers, in {name}")
    return state


def _unpacked(path: Path) -> Any:  # noqa: ANN401
    # Torch's own reader: another one might see another file in the same bytes.
    reader = torch._C.PyTorchFileReader(str(path))
    for code, word, _ in pickletools.genops(reader.get_record("data.pkl")):
        if code.name in ("GLOBAL", "INST", "STACK_GLOBAL") and word not in NAMES:
            raise RefusedError(f"holds more than weights: {str(word)[:60]}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.load(path, map_location="cpu", weights_only=True)


def _check_archive(path: Path) -> None:
    """PyTorch writes its archives without compression: one that unpacks to more than it holds is none of them."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise RefusedError("is a damaged archive") from error
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > path.stat().st_size:
        raise RefusedError("unpacks to more bytes than it has: PyTorch did not write it")
    tables = [member for member in members if member.filename.endswith("/data.pkl")]
    if len(members) > MAX_MEMBERS or len(tables) != 1 or tables[0].file_size > MAX_PICKLE:
        raise RefusedError("is no archive of PyTorch's")
