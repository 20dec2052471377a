# SPDX-License-Identifier: GPL-3.0-or-later
"""The draws and the loss of a training step."""

from __future__ import annotations

import torch

from backend.diffusion import draw_kept_conditions, kept_conditions, reconstruction_loss


def test_conditions_are_dropped_as_often_as_in_the_paper() -> None:
    keep_text, keep_references = kept_conditions(torch.arange(100))
    shares = [(keep_text & keep_references), (keep_text & ~keep_references), (~keep_text & keep_references)]
    assert [int(share.sum()) for share in shares] == [81, 9, 9]


def test_the_generator_fixes_the_draw() -> None:
    draws = [draw_kept_conditions(1000, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(draws[0][0], draws[1][0])
    assert torch.equal(draws[0][1], draws[1][1])
    assert not torch.equal(draws[0][0], draws[2][0])


def test_the_loss_counts_real_frames_only() -> None:
    clean, mask = torch.zeros(2, 3, 4), torch.tensor([[1, 1, 0], [1, 0, 0]]).bool()
    predicted = torch.where(mask[..., None], 2.0, 100.0).expand(2, 3, 4)
    assert reconstruction_loss(predicted, clean, mask) == 4.0
