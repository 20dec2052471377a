# SPDX-License-Identifier: GPL-3.0-or-later
"""Array files (.npy, .npz) that may be damaged: what numpy raises for them, and single arrays read with care."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

UNREADABLE: Final = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    SyntaxError,
    RuntimeError,  # an encrypted member; NotImplementedError for unknown compression
    MemoryError,
    OverflowError,
    tokenize.TokenError,  # numpy takes a damaged header apart as if it were source text
    zipfile.BadZipFile,
    zlib.error,
)
"""All that reading a damaged file can raise."""


def read_npy(path: Path) -> NDArray[Any]:
    """The array of an .npy file, mapped, so that only what is looked at is read and no header's claim is believed.

    Raises ValueError where it is none, or holds Python objects.
    """
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except UNREADABLE as error:
        raise ValueError(f"{path.name} is missing or damaged") from error
