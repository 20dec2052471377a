# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processor the network runs on."""

from __future__ import annotations

import torch

from .errors import BackendError


def choose_device(name: str = "auto") -> torch.device:
    """`auto` takes the first GPU that works with torch, else the CPU. Raises BackendError where there is no `name`."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise BackendError(
            "no_device", f'The device "{name}" cannot be used.', 'Choose "auto" or "cpu", or check the GPU\'s driver.'
        ) from error
    return device
