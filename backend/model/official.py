# SPDX-License-Identifier: GPL-3.0-or-later
"""Which parameter of an official checkpoint is which of ours, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from ..errors import BackendError
from .remodiffuse import ReMoDiffuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .config import ModelConfig

LANGUAGE_MODEL: Final = "clip."
"""Official checkpoints carry the frozen language model under this prefix; it is none of the network's parameters."""

_PREFIXES: Final = ("module.", "model.")

_TABLES: Final = {
    "denoiser.positions": "sequence_embedding",
    "reference_encoder.positions": "database.motion_pos_embedding",
}
_TRANSFORMER_LAYER: Final = {
    "self_attn.in_proj_": ("self_attn.in_proj_",),
    "self_attn.out_proj.": ("self_attn.out_proj.",),
    "linear1.": ("linear1.",),
    "linear2.": ("linear2.",),
    "norm1.": ("norm1.",),
    "norm2.": ("norm2.",),
}
_MOTION_BLOCK: Final = {
    "attention.norm.": ("sa_block.norm.",),
    "attention.query_key_value.": ("sa_block.query.", "sa_block.key.", "sa_block.value."),
    "feedforward.expand.": ("ffn.linear1.",),
    "feedforward.contract.": ("ffn.linear2.",),
}
_DENOISER_BLOCK: Final = {
    "attention.frame_norm.": ("ca_block.norm.",),
    "attention.query_key_value.": ("ca_block.query.", "ca_block.key_motion.", "ca_block.value_motion."),
    "attention.text_norm.": ("ca_block.text_norm.",),
    "attention.text_key_value.": ("ca_block.key_text.", "ca_block.value_text."),
    "attention.reference_key_norm.": ("ca_block.retr_norm1.",),
    "attention.reference_key.": ("ca_block.key_retr.",),
    "attention.reference_value_norm.": ("ca_block.retr_norm2.",),
    "attention.reference_value.": ("ca_block.value_retr.",),
    "attention_style.modulation.": ("ca_block.proj_out.emb_layers.1.",),
    "attention_style.norm.": ("ca_block.proj_out.norm.",),
    "attention_style.output.": ("ca_block.proj_out.out_layers.2.",),
    "feedforward.expand.": ("ffn.linear1.",),
    "feedforward.contract.": ("ffn.linear2.",),
    "feedforward_style.modulation.": ("ffn.proj_out.emb_layers.1.",),
    "feedforward_style.norm.": ("ffn.proj_out.norm.",),
    "feedforward_style.output.": ("ffn.proj_out.out_layers.2.",),
}


def correspondence(config: ModelConfig) -> dict[str, tuple[str, ...]]:
    """Each of our parameters -> the official ones that it holds, one below the other along the first axis.

    Official names stand here without prefix. Options of ours that the official network lacks have no entry.
    """
    modules: dict[str, tuple[str, ...]] = {
        "text_encoder.norm.": ("text_ln.",),
        "reference_encoder.motion_projection.": ("database.motion_proj.",),
        "denoiser.frame_projection.": ("joint_embed.",),
        "denoiser.time_mlp.0.": ("time_embed.0.",),
        "denoiser.time_mlp.2.": ("time_embed.2.",),
        "denoiser.output.": ("out.",),
    }
    if config.token_width != config.text_width:
        modules["text_encoder.transformer.projection."] = ("text_pre_proj.",)
    for ours, theirs, count, layer in (
        ("text_encoder.transformer.encoder.layers", "textTransEncoder.layers", config.text_layers, _TRANSFORMER_LAYER),
        (
            "reference_encoder.caption_encoder.encoder.layers",
            "database.text_encoder.layers",
            config.reference_text_layers,
            _TRANSFORMER_LAYER,
        ),
        (
            "reference_encoder.motion_blocks",
            "database.motion_encoder_blocks",
            config.reference_motion_layers,
            _MOTION_BLOCK,
        ),
        ("denoiser.blocks", "temporal_decoder_blocks", config.layers, _DENOISER_BLOCK),
    ):
        for number in range(count):
            for inner, names in layer.items():
                modules[f"{ours}.{number}.{inner}"] = tuple(f"{theirs}.{number}.{name}" for name in names)
    tables = {ours: (theirs,) for ours, theirs in _TABLES.items()}
    return tables | {
        module + kind: tuple(name + kind for name in names)
        for module, names in modules.items()
        for kind in ("weight", "bias")
    }


def from_official(parameters: Mapping[str, Tensor], config: ModelConfig) -> dict[str, Tensor]:
    """The state dict of `ReMoDiffuse(config)` from an official one, with or without `module.` and `model.` prefixes.

    Raises BackendError "bad_checkpoint" where a parameter is missing, superfluous or has another shape.
    """
    given = {plain_name(name): tensor for name, tensor in parameters.items()}
    pairs = correspondence(config)
    wanted = {name for names in pairs.values() for name in names}
    present = {name for name in given if not name.startswith(LANGUAGE_MODEL)}
    if missing := sorted(wanted - present):
        raise _bad_checkpoint(f"lacks {len(missing)} parameters, {missing[0]} first")
    if surplus := sorted(present - wanted):
        raise _bad_checkpoint(f"has {len(surplus)} unknown parameters, {surplus[0]} first")
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in ReMoDiffuse(config).state_dict().items()}
    ours: dict[str, Tensor] = {}
    for name, sources in pairs.items():
        parts = [given[source] for source in sources]
        # All parts of a fused parameter are equally large, so its shape tells theirs.
        expected = torch.Size((shapes[name][0] // len(parts), *shapes[name][1:]))
        for source, part in zip(sources, parts, strict=True):
            if part.shape != expected:
                raise _bad_checkpoint(f"has {source} of shape {tuple(part.shape)} instead of {tuple(expected)}")
        ours[name] = torch.cat(parts)
    return ours


def to_official(parameters: Mapping[str, Tensor], config: ModelConfig) -> dict[str, Tensor]:
    """Our parameters, or tensors of their shapes, under their official names without prefix."""
    return {
        official: part
        for ours, names in correspondence(config).items()
        for official, part in zip(names, parameters[ours].chunk(len(names)), strict=True)
    }


def plain_name(name: str) -> str:
    """An official name without the wrappers' prefixes."""
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _bad_checkpoint(problem: str) -> BackendError:
    return BackendError(
        "bad_checkpoint",
        f"The checkpoint is not one of this ReMoDiffuse model: it {problem}.",
        "Choose the official checkpoint (latest.pth) that belongs to the chosen data set.",
    )
