# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory: how much the process holds, giving it back, and going on with smaller batches where it is short."""

from __future__ import annotations

import ctypes
import gc
import re
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from .errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .request import Request, Take

    Progress = Callable[[str, int, int], None]


_SHORT: Final = re.compile(
    r"out of memory|not enough memory|(can't|cannot) allocate memory|bad_alloc"
    # What oneDNN says; a primitive without a descriptor is another matter.
    r"|could not (create|execute) a (memory|primitive(?! desc))",
    re.IGNORECASE,
)


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory was short, on whatever device: torch and its libraries say so in several ways."""
    return isinstance(error, MemoryError) or bool(_SHORT.search(str(error)))


def release() -> None:
    """Gives back what nobody holds any more, to the GPU and to the system."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    elif torch is not None and torch.backends.mps.is_available():
        torch.mps.empty_cache()
    with suppress(OSError, AttributeError):
        # glibc keeps freed memory for itself otherwise.
        ctypes.CDLL(None).malloc_trim(0)


def held(device: str) -> int:
    """Bytes held on the device; for the processor, by the process. 0 where it cannot be told."""
    torch = sys.modules.get("torch")
    if torch is not None and device.startswith("cuda"):
        return torch.cuda.memory_reserved(device)
    if torch is not None and device.startswith("mps"):
        return torch.mps.current_allocated_memory()
    with suppress(OSError, ValueError), open("/proc/self/statm", encoding="ascii") as stream:  # noqa: PTH123  no file
        return int(stream.read().split()[1]) * 4096
    return 0


def lingers(device: str) -> bool:
    """Whether a process holds memory of the device as long as it lives, whatever it releases: what CUDA has loaded for
    it, hundreds of megabytes.
    """
    return device.startswith("cuda")


def in_batches(
    generate: Callable[[Request, Progress | None], list[Take]], request: Request, progress: Progress | None
) -> tuple[list[Take], int]:
    """All takes of a request, in as few batches as the memory allows, and the size of the largest that it did.

    A take depends on its own seed only, so they are the same takes. Raises BackendError "out_of_memory" where not
    even one take fits.
    """
    takes: list[Take] = []
    size = request.count
    while len(takes) < request.count:
        part = replace(request, seed=request.seed + len(takes), count=min(size, request.count - len(takes)))
        try:
            takes += generate(part, progress)
            continue
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if part.count == 1:
                raise BackendError(
                    "out_of_memory",
                    "The memory is not enough for this request, not even for one take at a time.",
                    "Ask for fewer takes or a shorter clip, close other programs, or choose the processor in the "
                    "preferences.",
                ) from error
            size = part.count // 2
        # Only now has nobody hold of what the failed attempt had: the error did.
        release()
    return takes, min(size, request.count)
