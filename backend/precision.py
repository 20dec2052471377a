# SPDX-License-Identifier: GPL-3.0-or-later
"""Which numbers the network computes with: float32, or bfloat16 where only speed matters."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final

import torch

from .errors import BackendError

PRECISIONS: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16}
"""Weights, and what is added up over many steps, stay float32 in both; float16 would overflow."""


def precise(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Within it networks compute in that precision on that device. Raises BackendError for one that we do not know."""
    if precision not in PRECISIONS:
        raise BackendError(
            "bad_request", f'There is no precision "{precision[:40]}".', f"Choose {' or '.join(PRECISIONS)}."
        )
    return nullcontext() if precision == "float32" else torch.autocast(device.type, PRECISIONS[precision])
