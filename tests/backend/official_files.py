# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins of the official files: their names, shapes and types, with random numbers in them."""

from __future__ import annotations

import gzip
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from backend.model import ModelConfig, ReMoDiffuse
from backend.model.importer import FAMILIES
from backend.model.official import to_official
from backend.text.bpe import MERGES, VOCABULARY
from backend.text.clip import SHAPES

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

CONTACT_SHARE = 0.7


def clip_parameters() -> dict[str, Tensor]:
    """All 302 of ViT-B/32. One number stands for all of a tensor, so that files stay small."""
    shapes: dict[str, tuple[int, ...]] = {
        "positional_embedding": (77, 512),
        "text_projection": (512, 512),
        "logit_scale": (),
        "token_embedding.weight": (49408, 512),
        "ln_final.weight": (512,),
        "ln_final.bias": (512,),
        "visual.class_embedding": (768,),
        "visual.positional_embedding": (50, 768),
        "visual.proj": (768, 512),
        "visual.conv1.weight": (768, 3, 32, 32),
    }
    for name in ("ln_pre", "ln_post"):
        shapes |= {f"visual.{name}.weight": (768,), f"visual.{name}.bias": (768,)}
    for tower, width in (("", 512), ("visual.", 768)):
        for layer in range(12):
            block = f"{tower}transformer.resblocks.{layer}."
            for name, rows, columns in (
                ("attn.in_proj_", 3 * width, width),
                ("attn.out_proj.", width, width),
                ("mlp.c_fc.", 4 * width, width),
                ("mlp.c_proj.", width, 4 * width),
            ):
                shapes |= {f"{block}{name}weight": (rows, columns), f"{block}{name}bias": (rows,)}
            for name in ("ln_1", "ln_2"):
                shapes |= {f"{block}{name}.weight": (width,), f"{block}{name}.bias": (width,)}
    return {f"clip.{name}": torch.tensor(0.5).expand(shape) for name, shape in shapes.items()}


def random_official(features: int) -> ReMoDiffuse:
    torch.manual_seed(0)
    network = ReMoDiffuse(ModelConfig(features=features, mixture=FAMILIES[features].mixture)).eval()
    with torch.no_grad():
        network.denoiser.output.weight.normal_()  # else the prediction is zero, whatever went wrong
    return network


def checkpoint(network: ReMoDiffuse, tower: dict[str, Tensor] | None = None) -> dict[str, Any]:
    """What torch.load gives of a latest.pth: 542 tensors where network and tower are of the official size."""
    parameters = to_official(network.state_dict(), network.config) | clip_parameters()
    parameters |= {f"clip.{name}": tensor for name, tensor in (tower or {}).items()}
    return {
        "meta": {"epoch": 40, "env_info": "text"},
        "state_dict": OrderedDict((f"model.{name}", tensor) for name, tensor in parameters.items()),
    }


def write_statistics(folder: Path, features: int, divisor: float = 5.0) -> Path:
    folder.mkdir(exist_ok=True)
    mean, deviation = np.linspace(-1, 1, features), np.full(features, 0.5)
    mean[-4:], deviation[-4:] = CONTACT_SHARE, np.sqrt(CONTACT_SHARE * (1 - CONTACT_SHARE)) / divisor
    deviation[:4] = 0.2 / divisor
    np.save(folder / "mean.npy", mean)
    np.save(folder / "std.npy", deviation)
    return folder


def random_tower() -> dict[str, Tensor]:
    """CLIP's text tower, every weight random."""
    torch.manual_seed(0)
    return {name: torch.randn(shape) * (0.02 if len(shape) > 1 else 0.1) for name, shape in SHAPES.items()}


def write_vocabulary(folder: Path) -> None:
    """A vocabulary that merges nothing of any language: words become letters."""
    lines = ["#version: stand-in", *(f"{chr(0x4E00 + n // 200)} {chr(0x4E00 + n % 200)}" for n in range(MERGES)), "a b"]
    (folder / VOCABULARY).write_bytes(gzip.compress("\n".join(lines).encode()))


def database(
    lengths: list[int], captions: list[str], features: int, seed: int = 0, *, frames: int = 196, width: int = 512
) -> dict[str, Any]:
    """The arrays of an official retrieval database with one entry for each length and caption."""
    rng = np.random.default_rng(seed)
    motions = rng.standard_normal((len(lengths), frames, features), np.float32)
    for motion, length in zip(motions, lengths, strict=True):
        motion[length:] = 0
    return {
        "text_features": 3 * rng.standard_normal((len(lengths), 512), np.float32),
        "captions": np.array(captions),
        "motions": motions,
        "m_lengths": np.array(lengths),
        "clip_seq_features": rng.standard_normal((len(lengths), 77, width), np.float32).astype(np.float16),
    }
