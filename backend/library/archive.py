# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays of an .npz file read row by row: a file of many gigabytes takes the memory of a few rows."""

from __future__ import annotations

import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..arrays import UNREADABLE
from ..errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import IO

    from numpy.typing import NDArray

MAX_ROW_BYTES: Final = 4 << 20
"""No row of an official database is half as large; a header can claim anything."""

_HEADERS: Final[dict[tuple[int, int], Callable[[IO[bytes]], Any]]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class Column:
    """One array of the file, open at its next row. `shape` is that of a row of `row_bytes`, `rows` their number."""

    def __init__(self, name: str, stream: IO[bytes]) -> None:
        """Raises ValueError where the array cannot be read row by row."""
        self._stream = stream
        version = np.lib.format.read_magic(stream)
        if version not in _HEADERS:
            raise ValueError(f"{name} has an unknown header")
        try:
            shape, by_columns, self.dtype = _HEADERS[version](stream)
        except UNREADABLE as error:
            raise ValueError(f"{name} has a damaged header") from error
        if not shape or self.dtype.hasobject or (by_columns and len(shape) > 1):
            raise ValueError(f"{name} is no plain array")
        self.name, self.rows, self.shape = name, int(shape[0]), tuple(shape[1:])
        self.row_bytes = self.dtype.itemsize * int(np.prod(self.shape, dtype=np.int64))
        if not 0 < self.row_bytes <= MAX_ROW_BYTES:
            raise ValueError(f"{name} has rows of {self.row_bytes} bytes")

    def read(self, count: int) -> NDArray[Any]:
        """The next `count` rows. Raises ValueError where the file ends before."""
        content = self._stream.read(count * self.row_bytes)
        if len(content) != count * self.row_bytes:
            raise ValueError(f"{self.name} ends too early")
        return np.frombuffer(content, self.dtype).reshape(count, *self.shape)


@contextmanager
def columns(path: Path, names: tuple[str, ...]) -> Iterator[dict[str, Column]]:
    """The named arrays of a file, each to be read on its own. Code in the file is never run.

    What goes wrong with the file, also within the block, becomes BackendError "bad_database".
    """
    try:
        # A pipe or a device would never end.
        if not path.is_file():
            raise ValueError("it is no file")
        with ExitStack() as stack:
            archive = stack.enter_context(zipfile.ZipFile(path))
            held = set(archive.namelist())
            if missing := [name for name in names if name + ".npy" not in held]:
                raise ValueError(f"it lacks {', '.join(missing)}")
            yield {name: Column(name, stack.enter_context(archive.open(name + ".npy"))) for name in names}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise bad_database(path, str(error)) from error


def bad_database(path: Path, problem: str) -> BackendError:
    return BackendError(
        "bad_database",
        f"The database {path} cannot be imported: {problem}.",
        "Choose the official t2m_text_train.npz or kit_text_train.npz, and the folder of the model made for it.",
    )
