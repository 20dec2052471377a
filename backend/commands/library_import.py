# SPDX-License-Identifier: GPL-3.0-or-later
"""`library import`: databases of motion become libraries (docs/libraries.md)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..console.terminal import ProgressLine
from ..errors import BackendError

if TYPE_CHECKING:
    import argparse

NAMES: Final = {"cmu": "CMU", "humanml3d": "HumanML3D", "bvh": "BVH"}

_HELP: Final = {
    "cmu": "CMU's ASF and AMC files with an index",
    "humanml3d": "a HumanML3D folder: new_joints or new_joint_vecs, and texts",
    "bvh": "a folder of BVH files with a captions.csv or index.csv",
}


def add_parser(parser: argparse.ArgumentParser) -> None:
    """The kinds of import, as commands below `parser`."""
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    official = kinds.add_parser("official", help="an official retrieval database (.npz)")
    official.add_argument("archive", type=Path, help="t2m_text_train.npz or kit_text_train.npz")
    official.add_argument(
        "--model",
        type=Path,
        help="folder of the imported model that it belongs to (default: the only fitting one beside it, or here)",
    )
    official.add_argument("--output", type=Path, help="the new library (default: library.sqlite in the model's folder)")
    official.set_defaults(run=_official)
    for kind, words in _HELP.items():
        one = kinds.add_parser(kind, help=words)
        one.add_argument("folder", type=Path, help=words)
        one.add_argument("--output", type=Path, default=Path(f"{kind}.sqlite"), help="the library; it may exist")
        one.add_argument("--name", default=NAMES[kind], help="of the collection, for provenance (default: %(default)s)")
        one.add_argument("--licence", help="of clips whose folder states none")
        one.set_defaults(run=_folder, kind=kind)


def _official(options: argparse.Namespace) -> None:
    from ..library.official import import_official
    from ..model_folder import LIBRARY, read_normalisation

    model = options.model or _model_of(options.archive)
    card, mean, deviation = read_normalisation(model)
    output = options.output or model / LIBRARY
    with ProgressLine() as progress:
        count = import_official(
            options.archive,
            output,
            card,
            mean.double().numpy(),
            deviation.double().numpy(),
            lambda done, total: progress("clips", done, total),
        )
    sys.stdout.write(f"{count} clips in {output}\n")


def _model_of(archive: Path) -> Path:
    """The imported model that reads what is in the archive: beside it, in the folder one works in, or in its `models`.

    Raises BackendError where there is none, or more than one.
    """
    from ..library.archive import columns
    from ..model_card import read_card
    from ..models import CARD, list_models

    with columns(archive, ("motions",)) as arrays:
        features = arrays["motions"].shape[-1]
    places = dict.fromkeys(folder.resolve() for folder in (archive.parent, Path(), Path("models")))
    imported = [each.folder for each in list_models(list(places)) if each.source == "imported"]
    fitting = [folder for folder in imported if read_card(folder / CARD).config.features == features]
    if len(fitting) == 1:
        return fitting[0]
    raise BackendError(
        "no_model",
        f"{len(fitting) or 'No'} imported models here read the {features} features of {archive.name}.",
        "Name the folder of the model with --model; python -m backend model import makes it.",
    )


def _folder(options: argparse.Namespace) -> None:
    from ..library import Library
    from ..text import load_encoder
    from ..text.minilm import NAME
    from ..training.data.importing import import_folder

    if not options.folder.is_dir():
        raise BackendError("no_data", f"There is no folder {options.folder}.", "Name the folder that holds the files.")
    _check_form(options.folder, options.kind)
    output: Path = options.output
    there = output.exists()
    with Library.open(output, write=True) if there else Library.create(output) as library, ProgressLine() as progress:
        done = import_folder(
            options.folder, library, options.name, options.licence, lambda step, steps: progress("files", step, steps)
        )
        library.index(load_encoder(NAME), lambda step, steps: progress("text features", step, steps))
    for problem in done.refused:
        sys.stderr.write(f"left out: {problem}\n")
    sys.stdout.write(
        f"{output}: {done.clips} clips of {done.files - done.known - len(done.refused)} files added, "
        f"{done.known} files were there, {len(done.refused)} could not be read\n"
    )


def _check_form(folder: Path, kind: str) -> None:
    from ..training.data.acclaim import amc_files
    from ..training.data.humanml3d import is_humanml3d

    form = "humanml3d" if is_humanml3d(folder) else "cmu" if amc_files(folder) else "bvh"
    if kind != form:
        wanted = {"cmu": "AMC files", "humanml3d": "folders new_joints and texts", "bvh": "table with BVH files alone"}
        raise BackendError(
            "no_data", f"There are no {wanted[kind]} in {folder}.", f"See docs/libraries.md, or try: import {form}."
        )
