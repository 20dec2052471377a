# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of golden numbers from the official code: sizes, weights, inputs and outputs of a small model's stages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from .errors import BackendError
from .model import MixtureConfig, ModelConfig, ReMoDiffuse
from .model.official import from_official

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, Self

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: the largest absolute difference (of indices: how many differ) and what is allowed."""

    name: str
    difference: float
    tolerance: float

    @property
    def ok(self) -> bool:
        return self.difference <= self.tolerance


class Golden:
    """The arrays of the file by name, and the settings of the model that made them."""

    def __init__(self, arrays: dict[str, NDArray]) -> None:
        self.arrays = arrays
        self.config = _config(json.loads(str(arrays["config_json"])), arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path) as arrays:
            return cls(dict(arrays))

    def model(self) -> ReMoDiffuse:
        """The model of the file, rebuilt with its weights, for evaluation."""
        weights = {
            name.removeprefix("sd/"): torch.from_numpy(array)
            for name, array in self.arrays.items()
            if name.startswith("sd/")
        }
        self._check_sizes(weights)
        model = ReMoDiffuse(self.config)
        model.load_state_dict(from_official(weights, self.config))
        return model.eval()

    def _check_sizes(self, weights: dict[str, Tensor]) -> None:
        """Raises BackendError where the file's settings call for a larger model than it has weights for: a few bytes
        can claim any size.
        """
        config = self.config
        layers = config.layers + config.text_layers + config.reference_motion_layers + config.reference_text_layers
        if layers <= len(weights):
            with torch.device("meta"):
                wanted = sum(parameter.numel() for parameter in ReMoDiffuse(config).parameters())
            if wanted <= sum(tensor.numel() for tensor in weights.values()):
                return
        raise BackendError(
            "bad_fixture",
            "The settings call for more weights than the file holds.",
            "Make the golden numbers again.",
        )

    def tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name])

    def compare(
        self,
        name: str,
        found: ArrayLike | Tensor,
        tolerance: float,
        at: int | tuple[slice | int, ...] = (),
        label: str | None = None,
    ) -> Row:
        """Compares with the golden array `name`, or with its part `at`."""
        golden = np.asarray(self.arrays[name][at], np.float64)
        mine = np.asarray(found.detach() if isinstance(found, torch.Tensor) else found, np.float64)
        if mine.shape != golden.shape:
            raise BackendError(
                "bad_fixture",
                f"{name} has the shape {golden.shape} where {mine.shape} belongs.",
                "Make the golden numbers again.",
            )
        return Row(label or name, float(np.abs(mine - golden).max()), tolerance)

    def count_differences(self, name: str, found: ArrayLike) -> Row:
        """Compares whole numbers: counts those that differ."""
        return Row(name, float(np.count_nonzero(np.asarray(found) != self.arrays[name])), 0.0)


def _config(sizes: dict[str, Any], arrays: dict[str, NDArray]) -> ModelConfig:
    """The golden file's words for sizes and coefficients in ours."""
    scale = sizes["scale"]
    return ModelConfig(
        features=sizes["input_feats"],
        max_frames=sizes["max_seq_len"],
        width=sizes["latent_dim"],
        heads=sizes["num_heads"],
        layers=sizes["num_layers"],
        feedforward_width=sizes["ff_size"],
        time_width=sizes["time_embed_dim"],
        token_width=arrays["test/clip_feat"].shape[-1],
        text_width=sizes["text_latent_dim"],
        text_layers=sizes["text_num_layers"],
        text_heads=sizes["text_num_heads"],
        text_feedforward_width=sizes["text_ff_size"],
        references=sizes["num_retrieval"],
        reference_stride=sizes["stride"],
        reference_motion_layers=sizes["retr_motion_layers"],
        reference_text_layers=sizes["retr_text_layers"],
        reference_heads=sizes["num_heads"],
        reference_feedforward_width=sizes["ff_size"],
        reference_token_width=arrays["db/clip_seq_features"].shape[-1],
        kinematic_coefficient=sizes["kinematic_coef"],
        mixture=MixtureConfig(
            coarse_scale=scale["coarse_scale"],
            both=scale["both_coef"],
            text=scale["text_coef"],
            retrieval=scale["retr_coef"],
        ),
    )
