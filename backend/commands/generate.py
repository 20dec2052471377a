# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate motion from a prompt and write it to a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..motion.formats import check_output, write_takes
from ..request import MAX_COUNT, MAX_SECONDS, MIN_SECONDS, QUALITIES, Request
from ..server import limit_threads
from .terminal import ProgressLine

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    # Whatever can be refused is refused before torch is imported.
    request = Request(options.prompt, options.seconds, options.seed, options.count, options.quality)
    check_output(options.output)
    limit_threads(None)

    from ..generate import Generator

    with ProgressLine() as progress:
        progress("loading", 0, 1)
        generator = Generator.load(options.model, options.library, options.device)
        takes = generator.generate(request, progress)
    files = write_takes(options.output, [take.motion for take in takes], [take.provenance.to_json() for take in takes])
    for reference in takes[0].provenance.references:
        sys.stdout.write(
            f"reference {reference.score:.3f}  {reference.library} {reference.clip}: {reference.caption}\n"
        )
    for file in files:
        sys.stdout.write(f"{file}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backend generate", description=__doc__)
    parser.add_argument("prompt", help='what the person does, for example "a person walks forward"')
    parser.add_argument("--seconds", type=float, default=5.0, help=f"{MIN_SECONDS:g} to {MAX_SECONDS:g} (default: 5)")
    parser.add_argument("--seed", type=int, default=0, help="of the first take; the next has the next (default: 0)")
    parser.add_argument("--count", type=int, default=1, help=f"number of takes, 1 to {MAX_COUNT} (default: 1)")
    parser.add_argument("--quality", choices=QUALITIES, default="full", help="fast takes fewer steps (default: full)")
    parser.add_argument("--output", type=Path, required=True, help="FILE.npz (all takes) or FILE.bvh (one file a take)")
    add_model_options(parser)
    return parser


def add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, help="folder of the model (default: the starter model)")
    parser.add_argument(
        "--library",
        type=Path,
        action="append",
        help="a motion library to search; may be repeated (default: the one in the model's folder)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps, ... (default: auto)")
