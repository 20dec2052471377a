# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn official checkpoints into model folders."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

LICENCE: Final = "LicenseRef-S-Lab-1.0"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="backend model", description=__doc__)
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    importing = actions.add_parser("import", help="official latest.pth -> model folder")
    importing.add_argument("checkpoint", type=Path, help="latest.pth of the official release")
    importing.add_argument("--stats", type=Path, required=True, help="folder with mean.npy and std.npy of its data set")
    importing.add_argument("--output", type=Path, help="the new folder (default: beside the checkpoint)")
    options = parser.parse_args(arguments)
    folder = import_official(options.checkpoint, options.stats, options.output)
    sys.stdout.write(f"{folder}\n")
    return 0


def import_official(checkpoint: Path, statistics: Path, folder: Path | None = None) -> Path:
    """Write the model folder of an official checkpoint, CLIP's text tower beside it; returns the folder.

    Raises BackendError, and then nothing is written, where a file is not usable or the folder is not empty.
    """
    import torch
    from safetensors.torch import save_file

    from ..model.importer import read_checkpoint, read_statistics
    from ..model_card import ModelCard
    from ..model_folder import save_model
    from ..text import clip

    official = read_checkpoint(checkpoint)
    mean, deviation = read_statistics(statistics, official.config.features)
    name = f"remodiffuse-{official.family.name}"
    folder = folder or checkpoint.parent / name
    if folder.exists() and any(folder.iterdir()):
        raise BackendError("folder_in_use", f"{folder} is not empty.", "Choose a new folder with --output.")

    with checkpoint.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    card = ModelCard(
        name=name,
        version="1",
        licence=LICENCE,
        encoder=clip.NAME,
        config=official.config,
        layout=official.family.layout,
        training={
            "source": "official checkpoint of ReMoDiffuse (Zhang et al., ICCV 2023), for non-commercial use only",
            "checkpoint_sha256": sha256,
        },
    )
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / (clip.WEIGHTS + ".new")
    save_file({key: tensor.contiguous() for key, tensor in official.text_tower.items()}, draft)
    draft.replace(folder / clip.WEIGHTS)
    save_model(folder, card, official.weights, torch.from_numpy(mean), torch.from_numpy(deviation), half=False)
    return folder
