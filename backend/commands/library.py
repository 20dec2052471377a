# SPDX-License-Identifier: GPL-3.0-or-later
"""Make, fill, list and search motion libraries."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..console.terminal import ProgressLine
from ..errors import BackendError
from ..motion.formats import read_npz
from ..motion.skeleton import FPS
from ..request import Request
from .library_import import add_parser as add_import_parser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..library import Clip, Library
    from ..motion.clip import Motion
    from ..text import TextEncoder


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    options.run(options)
    return 0


def _add(options: argparse.Namespace) -> None:
    from ..library import Library

    motions, provenances = read_npz(options.takes)
    clips = [_clip(motion, provenance, options) for motion, provenance in zip(motions, provenances, strict=True)]
    with Library.open(options.file, write=True) if options.file.exists() else Library.create(options.file) as library:
        for clip in clips:
            sys.stdout.write(f"clip {library.add(clip)}: {clip.captions[0]}\n")
        _index_file(library)


def _clip(motion: Motion, provenance: dict[str, Any], options: argparse.Namespace) -> Clip:
    from ..library import Clip

    if abs(motion.fps - FPS) > 1e-3:
        raise BackendError("bad_clip", f"The takes have {motion.fps:g} frames a second.", f"Resample them to {FPS:g}.")
    return Clip(
        tuple(options.caption or [str(provenance.get("prompt", ""))]),
        motion.positions,
        motion.contacts,
        options.source or f"sampled by {provenance.get('model', 'an unknown model')}",
        options.licence or str(provenance.get("licence", "")),
        tuple(options.tag or ()),
    )


def _list(options: argparse.Namespace) -> None:
    from ..library import Library

    with Library.open(options.file) as library:
        for number in library.clips():
            clip = library.clip(number)
            sys.stdout.write(f"{number:6} {clip.frames / FPS:5.1f} s  {' | '.join(clip.captions)}  ({clip.licence})\n")
        sys.stdout.write(f"{len(library)} clips in {library.name}\n")


def _search(options: argparse.Namespace) -> None:
    from ..library import Library, search

    frames = Request(options.prompt, options.seconds).frames
    encoder = _encoder(options.model)
    query = encoder.encode([options.prompt]).sentence[0]
    found = search([Library.open(file) for file in options.files], query, encoder.name, frames, options.count)
    for reference, _ in found:
        seconds = reference.frames / FPS
        where = f"{reference.library} {reference.clip}"
        sys.stdout.write(f"{reference.score:.3f}  {where:16} {seconds:4.1f} s  {reference.caption}\n")


def _index(options: argparse.Namespace) -> None:
    from ..library import Library

    with Library.open(options.file, write=True) as library:
        _index_file(library)


def _index_file(library: Library) -> None:
    with ProgressLine() as progress:
        library.index(_encoder(), lambda done, total: progress("text features", done, total))


def _encoder(model: Path | None = None) -> TextEncoder:
    """The text encoder of a model, or the starter model's."""
    from ..model_card import read_card
    from ..model_folder import CARD
    from ..text import load_encoder
    from ..text.minilm import NAME

    return load_encoder(NAME if model is None else read_card(model / CARD).encoder, model)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backend library", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    add = verbs.add_parser("add", help="add the takes of an .npz file; a library that does not exist is made")
    add.add_argument("file", type=Path, help="the library")
    add.add_argument("takes", type=Path, help="an .npz file that generate wrote")
    add.add_argument("--caption", action="append", help="what the person does; may be repeated (default: the prompt)")
    add.add_argument("--source", help="where the motion comes from (default: the model that sampled it)")
    add.add_argument("--licence", help="licence of the motion (default: the model's)")
    add.add_argument("--tag", action="append", help="a word to group clips by; may be repeated")
    add.set_defaults(run=_add)

    show = verbs.add_parser("list", help="list the clips of a library")
    show.add_argument("file", type=Path, help="the library")
    show.set_defaults(run=_list)

    search = verbs.add_parser("search", help="show what a prompt would retrieve")
    search.add_argument("prompt")
    search.add_argument("files", type=Path, nargs="+", help="the libraries")
    search.add_argument("--seconds", type=float, default=5.0, help="length of the wanted motion (default: 5)")
    search.add_argument("--count", type=int, default=5, help="number of clips to show (default: 5)")
    search.add_argument("--model", type=Path, help="folder of the model whose text encoder reads the prompt")
    search.set_defaults(run=_search)

    index = verbs.add_parser("index", help="compute the text features that a library still lacks")
    index.add_argument("file", type=Path, help="the library")
    index.set_defaults(run=_index)

    add_import_parser(verbs.add_parser("import", help="a database of motion becomes a library"))
    return parser
