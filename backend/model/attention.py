# SPDX-License-Identifier: GPL-3.0-or-later
"""Linear attention over several sources, and the two attentions of ReMoDiffuse built on it.

Linear ("efficient") attention normalises queries over the channels of a head and keys over the rows of the source. So
a source of any number of rows can be summarised by one d x d matrix per head, and attention over several sources at
once reads a weighted mean of their summaries. The cost is linear in the number of frames, and the summaries of what
does not change while denoising (text, references) are computed once per prompt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from .conditions import ReferenceCondition, TextCondition
    from .config import ModelConfig


@dataclass(frozen=True, slots=True)
class Summary:
    """All that linear attention needs to know of a source; in float32 whatever the network runs in.

    `context` (B, H, d, d): for each key channel the mean of the values, weighted by the softmax of that channel's keys
    over the rows. `log_weight` (B, H, d): the logarithm of that softmax's denominator, which is the weight of the
    source beside others.
    """

    context: Tensor
    log_weight: Tensor

    def rows(self, index: Tensor) -> Summary:
        """The summaries of some samples of the batch."""
        return Summary(self.context[index], self.log_weight[index])

    def kept(self, keep: Tensor) -> Summary:
        """The same source without any weight where `keep` (B,) is false."""
        return Summary(self.context, self.log_weight.masked_fill(~keep[:, None, None], _no_weight(self.log_weight)))


def summarise(keys: Tensor, values: Tensor, mask: Tensor | None, heads: int) -> Summary:
    """Summary of a source with keys and values (B, N, D) and a mask (B, N), false for rows to leave out; None = all
    rows count."""
    keys, values = _split_heads(keys.float(), heads), _split_heads(values, heads)
    if mask is not None:
        keys = keys.masked_fill(~mask[:, None, :, None], _no_weight(keys))
    peak = keys.detach().amax(dim=2, keepdim=True)
    weights = (keys - peak).exp_()
    total = weights.sum(dim=2)
    context = weights.to(values.dtype).transpose(2, 3) @ values
    return Summary(context.float() / total[..., None], peak.squeeze(2) + total.log())


def combine(first: Summary, second: Summary) -> Summary:
    """The summary of two sources' rows together."""
    log_weight = torch.logaddexp(first.log_weight, second.log_weight)
    share = torch.exp(first.log_weight - log_weight)[..., None]
    return Summary(torch.lerp(second.context, first.context, share), log_weight)


def read(queries: Tensor, source: Summary) -> Tensor:
    """Attention output (B, T, D) of normalised queries (B, H, T, d)."""
    return (queries @ source.context.to(queries.dtype)).transpose(1, 2).flatten(2)


def normalise_queries(queries: Tensor, heads: int) -> Tensor:
    """(B, T, D) -> (B, H, T, d), softmax over the channels of each head."""
    return _split_heads(queries, heads).softmax(dim=-1)


def _split_heads(rows: Tensor, heads: int) -> Tensor:
    return rows.unflatten(-1, (heads, -1)).transpose(1, 2)


def _no_weight(like: Tensor) -> float:
    """Takes part in no softmax; finite, so that a source without any rows gives no NaN."""
    return torch.finfo(like.dtype).min


class SelfAttention(nn.Module):
    """Linear self-attention of the reference motion encoder: residual, without output projection."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)

    def forward(self, frames: Tensor, mask: Tensor, stride: int = 1) -> Tensor:
        """frames (B, T, D), mask (B, T) -> every `stride`-th frame after attention to all frames."""
        normalised, width = self.norm(frames), frames.shape[-1]
        weight, bias = self.query_key_value.weight, self.query_key_value.bias
        queries = functional.linear(normalised[:, ::stride], weight[:width], bias[:width])
        keys, values = functional.linear(normalised, weight[width:], bias[width:]).chunk(2, dim=-1)
        attended = read(normalise_queries(queries, self.heads), summarise(keys, values, mask, self.heads))
        return frames[:, ::stride] + attended


class SemanticsModulatedAttention(nn.Module):
    """Linear attention of the noisy frames to text, references and themselves at once (paper section 3.3, SMA).

    It has no `forward`: each source is summarised by a method of its own, because the sources change at different
    times, and `read` gives the frames' queries the combined summary. No output projection: stylization follows.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.frame_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.text_norm = nn.LayerNorm(config.text_width)
        self.text_key_value = nn.Linear(config.text_width, 2 * width)
        self.reference_key_norm = nn.LayerNorm(2 * width)
        self.reference_key = nn.Linear(2 * width, width)
        self.reference_value_norm = nn.LayerNorm(width)
        self.reference_value = nn.Linear(width, width)
        nn.init.zeros_(self.reference_value.weight)
        nn.init.zeros_(self.reference_value.bias)

    def summarise_text(self, text: TextCondition) -> Summary:
        keys, values = self.text_key_value(self.text_norm(text.tokens)).chunk(2, dim=-1)
        return summarise(keys, values, text.mask, self.heads)

    def summarise_references(self, references: ReferenceCondition) -> Summary:
        """The keys see motion and caption of a reference, the values its motion only."""
        keys = self.reference_key(self.reference_key_norm(references.motion_and_caption().flatten(1, 2)))
        values = self.reference_value(self.reference_value_norm(references.motion.flatten(1, 2)))
        return summarise(keys, values, references.mask.flatten(1, 2), self.heads)

    def summarise_frames(self, frames: Tensor, mask: Tensor | None) -> tuple[Tensor, Summary]:
        """Frames (B, T, D) and their mask (B, T; None = all are real) -> normalised queries (B, H, T, d) and the
        summary of the frames."""
        queries, keys, values = self.query_key_value(self.frame_norm(frames)).chunk(3, dim=-1)
        return normalise_queries(queries, self.heads), summarise(keys, values, mask, self.heads)
