# SPDX-License-Identifier: GPL-3.0-or-later
"""List models, fetch published ones, turn official checkpoints into model folders."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..console.frames import watched
from ..console.terminal import ProgressLine
from ..errors import BackendError
from ..models import list_models, seal, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LICENCE: Final = "LicenseRef-S-Lab-1.0"


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    return options.run(options) or 0


def _import(options: argparse.Namespace) -> None:
    folder = import_official(options.checkpoint, options.stats, options.output)
    sys.stdout.write(f"{folder}\n")


def _list(options: argparse.Namespace) -> int:
    damaged = 0
    for model in list_models(options.folder or []):
        state = ""
        if options.verify:
            state = "  the weights are those of the card" if verify(model) else "  THE WEIGHTS ARE OTHERS"
            damaged += state.isupper()
        sys.stdout.write(
            f"{model.name:24} {model.version:8} {model.bytes / 1e6:8.1f} MB  {model.licence:24} {model.source}{state}\n"
        )
    return int(damaged > 0)


def _seal(options: argparse.Namespace) -> None:
    sys.stdout.write(f"{seal(options.model)}\n")


def _download(options: argparse.Namespace) -> int:
    from ..download import download

    def work(progress: Callable[[str, int, int], None]) -> dict[str, str]:
        return {"name": download(options.repository, options.commit, options.sha256, options.into, progress).name}

    if options.frames:
        return watched(work)
    with ProgressLine() as line:
        found = work(lambda stage, step, total: line(stage, step // 1000, total // 1000))
    sys.stdout.write(f"{options.into / found['name']}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="backend model", description=__doc__)
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    importing = actions.add_parser("import", help="official latest.pth -> model folder")
    importing.add_argument("checkpoint", type=Path, help="latest.pth of the official release")
    importing.add_argument("--stats", type=Path, required=True, help="folder with mean.npy and std.npy of its data set")
    importing.add_argument("--output", type=Path, help="the new folder (default: beside the checkpoint)")
    importing.set_defaults(run=_import)

    listing = actions.add_parser("list", help="the models that there are: size, licence, where from")
    listing.add_argument("folder", type=Path, nargs="*", help="folders of model folders, beside the starter model")
    listing.add_argument("--verify", action="store_true", help="compare the weights with the hash in the card")
    listing.set_defaults(run=_list)

    sealing = actions.add_parser("seal", help="put the hash of every file into the card, to publish the model")
    sealing.add_argument("model", type=Path, help="the model's folder")
    sealing.set_defaults(run=_seal)

    fetching = actions.add_parser("download", help="fetch a published model from the Hugging Face hub")
    fetching.add_argument("repository", help="OWNER/NAME")
    fetching.add_argument("--commit", required=True, help="the commit that was published")
    fetching.add_argument("--sha256", required=True, help="of the model's card, as seal printed it")
    fetching.add_argument("--into", type=Path, required=True, help="folder of model folders")
    fetching.add_argument("--frames", action="store_true", help=argparse.SUPPRESS)
    fetching.set_defaults(run=_download)
    return parser


def import_official(checkpoint: Path, statistics: Path, folder: Path | None = None) -> Path:
    """Write the model folder of an official checkpoint, CLIP's text tower beside it; returns the folder.

    Raises BackendError, and then nothing is written, where a file is not usable or the folder is not empty.
    """
    import torch
    from safetensors.torch import save_file

    from ..model.importer import read_checkpoint, read_statistics
    from ..model_card import ModelCard
    from ..model_folder import save_model, writing
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
    with writing(folder, clip.WEIGHTS) as (draft,):
        folder.mkdir(parents=True, exist_ok=True)
        save_file({key: tensor.contiguous() for key, tensor in official.text_tower.items()}, draft)
    save_model(folder, card, official.weights, torch.from_numpy(mean), torch.from_numpy(deviation), half=False)
    return folder
