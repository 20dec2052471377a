# SPDX-License-Identifier: GPL-3.0-or-later
"""Linear attention by summaries."""

from __future__ import annotations

import torch
from torch import Tensor

from backend.model.attention import combine, normalise_queries, read, summarise

HEADS = 2


def _source(rows: int, scale: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    """Keys, values and mask; the last two rows are masked."""
    mask = (torch.arange(rows) < rows - 2).expand(3, -1)
    return scale * torch.randn(3, rows, 8), torch.randn(3, rows, 8), mask


def test_combined_summaries_equal_one_softmax_over_all_rows() -> None:
    torch.manual_seed(0)
    queries = torch.randn(3, 5, 8)
    first, second = _source(6), _source(9)
    by_summaries = read(normalise_queries(queries, HEADS), combine(summarise(*first, HEADS), summarise(*second, HEADS)))

    keys, values, mask = (torch.cat(parts, dim=1) for parts in zip(first, second, strict=True))
    weights = keys.masked_fill(~mask[..., None], -torch.inf).softmax(dim=1).unflatten(-1, (HEADS, -1))
    context = torch.einsum("bnhk,bnhv->bhkv", weights, values.unflatten(-1, (HEADS, -1)))
    directly = torch.einsum("bthk,bhkv->bthv", queries.unflatten(-1, (HEADS, -1)).softmax(-1), context).flatten(2)
    torch.testing.assert_close(by_summaries, directly)


def test_a_source_that_is_not_kept_has_no_influence() -> None:
    torch.manual_seed(0)
    first, second = summarise(*_source(6), HEADS), summarise(*_source(9), HEADS)
    nothing = torch.zeros(3, dtype=torch.bool)
    torch.testing.assert_close(combine(first.kept(nothing), second).context, second.context, rtol=0, atol=0)
    torch.testing.assert_close(combine(first, second.kept(nothing)).context, first.context, rtol=0, atol=0)
    both_dropped = combine(first.kept(nothing), first.kept(nothing))
    torch.testing.assert_close(combine(both_dropped, second).context, second.context, rtol=0, atol=0)


def test_a_source_without_real_rows_has_no_influence() -> None:
    torch.manual_seed(0)
    keys, values, mask = _source(6)
    empty, second = summarise(keys, values, torch.zeros_like(mask), HEADS), summarise(*_source(9), HEADS)
    torch.testing.assert_close(combine(empty, second).context, second.context, rtol=0, atol=0)


def test_half_precision_neither_overflows_nor_blurs_the_mask() -> None:
    torch.manual_seed(0)
    keys, values, mask = _source(6, scale=1000.0)
    summary = summarise(keys.half(), values.half(), mask, HEADS)
    dropped = summary.kept(torch.tensor([True, False, True]))
    for tensor in (summary.context, summary.log_weight, dropped.log_weight, combine(dropped, dropped).context):
        assert tensor.isfinite().all()
    changed = values.masked_fill(~mask[..., None], 100.0)
    torch.testing.assert_close(
        summarise(keys.half(), changed.half(), mask, HEADS).context, summary.context, rtol=0, atol=0
    )
