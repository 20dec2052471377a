# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processor the network runs on."""

from __future__ import annotations

import torch

from .errors import BackendError


def choose_device(name: str = "auto") -> torch.device:
    """`auto` takes the first GPU that computes, else the CPU. Raises BackendError where there is no `name`."""
    if name == "auto":
        # A GPU may be there and yet be none that this build of torch has programs for.
        return next(device for each in ("cuda", "mps", "cpu") if (device := _computing(each)))
    if device := _computing(name):
        return device
    raise BackendError(
        "no_device", f'The device "{name}" cannot be used.', 'Choose "auto" or "cpu", or check the GPU\'s driver.'
    )


def _computing(name: str) -> torch.device | None:
    """None where a sum cannot be computed on it."""
    try:
        device = torch.device(name)
        torch.ones(2, device=device).sum().item()
    except (RuntimeError, AssertionError, NotImplementedError):
        return None
    return device
