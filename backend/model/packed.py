# SPDX-License-Identifier: GPL-3.0-or-later
"""The denoiser for sampling on a CPU, with weights in the order in which oneDNN multiplies fastest.

A matrix product that finds its weights in the processor's own blocked order need not rearrange them on every call, in
bfloat16 it need not convert them either, and oneDNN uses the wide registers of processors for which torch's default
library falls back to narrower ones. The results differ by rounding only. What is not multiplied in every denoising step
stays as it is, and nothing here has gradients.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from .feedforward import FeedForward

if TYPE_CHECKING:
    from .denoiser import Denoiser

_EVERY_STEP: Final = {"frame_projection", "query_key_value", "output"}
"""Names of the linear layers that every denoising step applies, beside those of the feed-forward networks."""


def packed(denoiser: Denoiser, precision: torch.dtype = torch.float32) -> Denoiser:
    """The same denoiser with packed layers, for sampling in `precision`; itself where this machine cannot pack.

    The other weights are shared with the given one.
    """
    if not can_pack(denoiser.positions.device, precision):
        return denoiser
    shared = {id(weights): weights for weights in denoiser.parameters()}
    copy = deepcopy(denoiser, shared)
    for module in list(copy.modules()):
        for name, layer in list(module.named_children()):
            if isinstance(layer, FeedForward):
                setattr(module, name, PackedFeedForward(layer, precision))
            elif isinstance(layer, nn.Linear) and name in _EVERY_STEP:
                setattr(module, name, PackedLinear(layer, precision))
    return copy


class PackedLinear(nn.Module):
    """A linear layer with packed weights, and an activation after it where one is named."""

    def __init__(self, layer: nn.Linear, precision: torch.dtype, activation: str = "none") -> None:
        super().__init__()
        self.precision = precision
        self.activation = activation
        # No parameters or buffers: a packed tensor can neither be saved nor moved.
        self.weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach().to(precision))
        self.bias = layer.bias.detach().to(precision)

    def forward(self, rows: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs), in the precision of the weights."""
        multiply = torch.ops.mkldnn._linear_pointwise
        return multiply(rows.to(self.precision), self.weight, self.bias, self.activation, [], "none")


class PackedFeedForward(nn.Module):
    """`FeedForward` with its activation inside the first product."""

    def __init__(self, feedforward: FeedForward, precision: torch.dtype) -> None:
        super().__init__()
        self.expand = PackedLinear(feedforward.expand, precision, "gelu")
        self.contract = PackedLinear(feedforward.contract, precision)

    def forward(self, frames: Tensor) -> Tensor:
        return self.contract(self.expand(frames))


def can_pack(device: torch.device, precision: torch.dtype) -> bool:
    """Whether torch was built with oneDNN, and the processor has instructions for the precision."""
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    if precision == torch.bfloat16:
        return torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return precision == torch.float32
