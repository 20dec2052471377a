# SPDX-License-Identifier: GPL-3.0-or-later
"""Official checkpoints (`latest.pth`) and statistics, read and checked. Nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ..errors import BackendError
from ..library.archive import Column
from ..motion import kit
from ..motion.features import FeatureLayout
from . import checkpoint_file
from .config import MixtureConfig, ModelConfig
from .official import LANGUAGE_MODEL, from_official, plain_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

_CLIP_IMAGE_TOWER: Final = (LANGUAGE_MODEL + "visual.", LANGUAGE_MODEL + "logit_scale")
_CLIP_TEXT_TOWER: Final = ("token_embedding.weight", "positional_embedding", "ln_final.weight", "text_projection")

MOST_NUMBERS: Final = 1 << 28
"""Of all tensors of a checkpoint, as they are shown; official ones have 200 million."""

ROOT_AND_CONTACTS: Final = 5.0
"""The official std.npy has the deviations of root and contact channels divided by this ("feat_bias")."""


@dataclass(frozen=True, slots=True)
class Family:
    """What a checkpoint does not say of itself: the data set that it was trained on."""

    name: str
    layout: FeatureLayout
    mixture: MixtureConfig
    padded_raw: bool = False
    """Whether motions are padded with zeros before they are normalised, not after."""
    repeated_texts: int = 100
    """Of which the paper's protocol measures multimodality."""


FAMILIES: Final = {
    263: Family("t2m", FeatureLayout(), MixtureConfig()),
    251: Family(
        "kit",
        FeatureLayout(len(kit.JOINTS), fps=kit.FPS, unit=kit.UNIT),
        MixtureConfig(coarse_scale=4.0, both=0.78123, text=0.39284, retrieval=-0.12475),
        padded_raw=True,
        repeated_texts=50,
    ),
}
"""By the number of features: HumanML3D and KIT-ML."""


@dataclass(frozen=True, slots=True, eq=False)
class OfficialModel:
    """A checkpoint in our terms: `weights` for ReMoDiffuse(config), `text_tower` for CLIP's text encoder."""

    family: Family
    config: ModelConfig
    weights: dict[str, Tensor]
    text_tower: dict[str, Tensor]


def read_checkpoint(path: Path) -> OfficialModel:
    """Raises BackendError "bad_checkpoint" on anything but an official checkpoint with finite weights.

    No code in the file is run: only tensors and plain values are unpacked, and no more of them than it has bytes.
    """
    try:
        content = checkpoint_file.load(path)
        # The whole checkpoint, or its state dict alone.
        state = content.get("state_dict", content) if isinstance(content, dict) else None
        tensors = checkpoint_file.checked_tensors(state, MOST_NUMBERS)
    except ValueError as error:
        raise _bad_checkpoint(path, str(error)) from error

    parameters = {plain_name(name): tensor for name, tensor in tensors.items()}
    text_tower = {
        name.removeprefix(LANGUAGE_MODEL): tensor.float()
        for name, tensor in parameters.items()
        if name.startswith(LANGUAGE_MODEL) and not name.startswith(_CLIP_IMAGE_TOWER)
    }
    if missing := [name for name in _CLIP_TEXT_TOWER if name not in text_tower]:
        raise _bad_checkpoint(path, f"lacks the text encoder's {missing[0]}")
    try:
        family, config = _describe(parameters)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise _bad_checkpoint(path, f"is no ReMoDiffuse model ({error})") from error
    weights = {name: tensor.float() for name, tensor in from_official(parameters, config).items()}
    return OfficialModel(family, config, weights, text_tower)


def read_statistics(folder: Path, features: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation (F,) that official weights expect, from `mean.npy` and `std.npy` in `folder`.

    The official std.npy differs from HumanML3D's own Std.npy in the root and contact channels. Which of them lies here
    shows in the contacts, whose deviation follows from their mean; HumanML3D's own is turned into the official one.
    Raises BackendError "bad_statistics".
    """
    mean, deviation = (_statistic(folder, name, features) for name in ("mean", "std"))
    contacts = slice(features - 4, features)
    share = np.clip(mean[contacts], 0.0, 1.0)
    # A contact is 0 or 1, so its variance is p (1 - p); data sets store the mean of the four deviations.
    ratio = float(np.sqrt(share * (1.0 - share)).mean() / max(deviation[contacts].mean(), np.finfo(np.float32).tiny))
    if 0.5 < ratio < 2.0:
        deviation[:4] /= ROOT_AND_CONTACTS
        deviation[contacts] /= ROOT_AND_CONTACTS
    elif not 0.5 < ratio / ROOT_AND_CONTACTS < 2.0:
        raise _bad_statistics(folder, "mean.npy and std.npy do not belong together")
    return mean, deviation


def _describe(parameters: Mapping[str, Tensor]) -> tuple[Family, ModelConfig]:
    """Family and sizes, read off the shapes; numbers of heads leave no trace and are the official ones."""
    width, features = parameters["joint_embed.weight"].shape
    text_width = len(parameters["text_ln.weight"])
    projected = "text_pre_proj.weight" in parameters
    if features not in FAMILIES:
        raise ValueError(f"{features} features")
    family = FAMILIES[features]
    return family, ModelConfig(
        features=features,
        max_frames=len(parameters["sequence_embedding"]),
        width=width,
        layers=_count(parameters, "temporal_decoder_blocks."),
        feedforward_width=len(parameters["temporal_decoder_blocks.0.ffn.linear1.weight"]),
        time_width=len(parameters["time_embed.0.weight"]),
        token_width=parameters["text_pre_proj.weight"].shape[1] if projected else text_width,
        text_width=text_width,
        text_layers=_count(parameters, "textTransEncoder.layers."),
        text_feedforward_width=len(parameters["textTransEncoder.layers.0.linear1.weight"]),
        reference_motion_layers=_count(parameters, "database.motion_encoder_blocks."),
        reference_text_layers=_count(parameters, "database.text_encoder.layers."),
        reference_feedforward_width=len(parameters["database.text_encoder.layers.0.linear1.weight"]),
        reference_token_width=width,
        mixture=family.mixture,
    )


def _count(parameters: Mapping[str, Tensor], prefix: str) -> int:
    """How many numbered layers there are under a prefix."""
    return len({name.removeprefix(prefix).split(".")[0] for name in parameters if name.startswith(prefix)})


def _statistic(folder: Path, name: str, features: int) -> NDArray[np.float32]:
    try:
        path = next(path for path in sorted(folder.iterdir()) if path.name.lower() == f"{name}.npy" and path.is_file())
        with path.open("rb") as stream:
            column = Column(name, stream)
            # What is announced, before anything is read.
            fits = (column.rows, column.shape, column.dtype.kind) == (features, (), "f")
            values = column.read(features) if fits else np.zeros(0)
    except (OSError, ValueError, StopIteration) as error:
        raise _bad_statistics(folder, f"{name}.npy is missing or damaged") from error
    if values.shape != (features,):
        raise _bad_statistics(folder, f"{name}.npy does not hold {features} numbers")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise _bad_statistics(folder, f"{name}.npy holds a number that is not finite")
    if name == "std" and not (values > 0).all():
        raise _bad_statistics(folder, "std.npy is not positive")
    return values


def _bad_checkpoint(path: Path, problem: str) -> BackendError:
    return BackendError(
        "bad_checkpoint", f"{path.name} {problem}.", "Choose latest.pth of the official ReMoDiffuse release."
    )


def _bad_statistics(folder: Path, problem: str) -> BackendError:
    return BackendError(
        "bad_statistics",
        f"The statistics in {folder} cannot be used: {problem}.",
        "Choose the folder with mean.npy and std.npy of the data set that the checkpoint was trained on.",
    )
