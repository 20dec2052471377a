# SPDX-License-Identifier: GPL-3.0-or-later
"""The device is one that computes, not one that is merely there."""

from __future__ import annotations

import pytest
import torch

from backend.device import choose_device
from backend.errors import BackendError


def test_automatic_is_a_device_that_computes() -> None:
    assert torch.ones(3, device=choose_device()).sum().item() == 3


@pytest.mark.fault("GPU or its driver too old")
@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU that computes is here")
@pytest.mark.parametrize("claimed", ["cuda", "mps"])
def test_a_gpu_that_does_not_compute_is_passed_over(monkeypatch: pytest.MonkeyPatch, claimed: str) -> None:
    """As one is that this build of torch has no programs for."""
    monkeypatch.setattr(torch.cuda if claimed == "cuda" else torch.backends.mps, "is_available", lambda: True)
    with pytest.raises(BackendError) as caught:
        choose_device(claimed)
    assert caught.value.code == "no_device"
    if not torch.backends.mps.is_built():
        assert choose_device().type == "cpu"


def test_no_device_is_a_sentence() -> None:
    with pytest.raises(BackendError, match="cannot be used"):
        choose_device("abacus")
