# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins of the files of Guo et al.'s evaluators, with random numbers in them."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from backend.training.judges.words import ROWS, VECTORS, WORDS

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

VOCABULARY = ("sos", "eos", "unk", "a", "person", "walk", "forward", "jump", "slowly", "left", "kick", "foot", "man")


def evaluators(
    features: int,
    *,
    movement: int = 512,
    words: int = 300,
    text: int = 512,
    motion: int = 1024,
    embedding: int = 512,
) -> dict[str, Any]:
    """What torch.load gives of a finest.tar; by default in the sizes of the published ones."""
    generator = torch.Generator().manual_seed(features)

    def layer(name: str, *shape: int) -> dict[str, Tensor]:
        scale = 1.0 / np.sqrt(np.prod(shape[1:]))
        return {
            f"{name}.weight": scale * torch.randn(shape, generator=generator),
            f"{name}.bias": 0.1 * torch.randn(shape[:1], generator=generator),
        }

    def recurrent(width: int, hidden: int) -> dict[str, Tensor]:
        shapes = {"weight_ih": (3 * hidden, width), "weight_hh": (3 * hidden, hidden)}
        shapes |= {"bias_ih": (3 * hidden,), "bias_hh": (3 * hidden,)}
        return {
            f"gru.{name}_l0{direction}": torch.randn(shape, generator=generator) / np.sqrt(hidden)
            for direction in ("", "_reverse")
            for name, shape in shapes.items()
        }

    def head(hidden: int) -> dict[str, Tensor]:
        norm = {"output_net.1.weight": 1.0 + 0.1 * torch.randn(hidden, generator=generator)}
        norm |= {"output_net.1.bias": 0.1 * torch.randn(hidden, generator=generator)}
        return layer("output_net.0", hidden, 2 * hidden) | norm | layer("output_net.3", embedding, hidden)

    def state(hidden: int) -> dict[str, Tensor]:
        return {"hidden": torch.randn(2, 1, hidden, generator=generator)}

    return {
        "movement_encoder": layer("main.0", movement, features - 4, 4)
        | layer("main.3", movement, movement, 4)
        | layer("out_net", movement, movement),
        "text_encoder": state(text)
        | layer("pos_emb", words, 15)
        | layer("input_emb", text, words)
        | recurrent(text, text)
        | head(text),
        "motion_encoder": state(motion)
        | layer("input_emb", motion, movement)
        | recurrent(motion, motion)
        | head(motion),
        "opt_text_encoder": {"state": {}, "param_groups": [{"lr": 1e-4, "params": [0, 1]}]},
        "opt_motion_encoder": {"state": {}, "param_groups": []},
        "epoch": 150,
        "iter": 30000,
    }


def write_vocabulary(folder: Path, width: int = 300, protocol: int = 4) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / VECTORS, np.random.default_rng(1).standard_normal((len(VOCABULARY), width)))
    (folder / WORDS).write_bytes(pickle.dumps(list(VOCABULARY), protocol))
    (folder / ROWS).write_bytes(pickle.dumps({word: row for row, word in enumerate(VOCABULARY)}, protocol))
    return folder
