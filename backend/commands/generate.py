# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate motion from a prompt, or from many, and write it to files."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..batch import Batch, Part
from ..console.options import add_model_options
from ..console.terminal import ProgressLine
from ..errors import BackendError
from ..memory import in_batches
from ..motion.formats import check_output, write_takes
from ..prompts import Wanted, read_prompts
from ..request import MAX_COUNT, MAX_SECONDS, MIN_SECONDS, QUALITIES, Request
from ..threads import limit_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..generate import Generator


def main(arguments: Sequence[str]) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if (options.prompt is None) == (options.prompts is None):
        parser.error("give either a prompt or --prompts FILE")
    return _many(options) if options.prompts else _one(options)


def _one(options: argparse.Namespace) -> int:
    # Whatever can be refused is refused before torch is imported.
    request = Request(options.prompt, options.seconds, options.seed, options.count, options.quality)
    check_output(options.output)
    with ProgressLine() as progress:
        progress("loading", 0, 1)
        takes, _ = in_batches(_generator(options).generate, request, progress)
    files = write_takes(options.output, [take.motion for take in takes], [take.provenance.to_json() for take in takes])
    for reference in takes[0].provenance.references:
        sys.stdout.write(
            f"reference {reference.score:.3f}  {reference.library} {reference.clip}: {reference.caption}\n"
        )
    for file in files:
        sys.stdout.write(f"{file}\n")
    return 0


def _many(options: argparse.Namespace) -> int:
    if options.output.suffix or options.output.is_file():
        raise BackendError("cannot_write", f"{options.output} is no folder.", "Name a folder for the clips of a batch.")
    batch = Batch(
        read_prompts(options.prompts, options.quality), options.output, "." + options.format, Part.from_environment()
    )
    ours = batch.part.of(batch.rows)
    missing = [row for row in ours if row.name not in batch.finished()]
    failed = 0
    if missing:
        with ProgressLine() as progress:
            progress("loading", 0, 1)
            generate = _generator(options).generate
            made = 0

            def told(row: Wanted, entry: dict[str, Any]) -> None:
                nonlocal made
                made += 1
                progress("clips", made, len(missing))
                if entry["status"] == "failed":
                    sys.stderr.write(f"{row.name}: {entry['message']} {entry['remedy']}\n")

            failed = batch.run(generate, told)
    sys.stdout.write(f"{len(missing) - failed} made, {len(ours) - len(missing)} were there, {failed} failed\n")
    sys.stdout.write(f"{batch.report}\n")
    return 1 if failed else 0


def _generator(options: argparse.Namespace) -> Generator:
    limit_threads(None)

    from ..generate import Generator

    device = options.device
    # Several processes of one machine share its GPUs out.
    if device == "auto" and (local := os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", ""))).isdigit():
        import torch

        if torch.cuda.device_count() > 1:
            device = f"cuda:{int(local) % torch.cuda.device_count()}"
    return Generator.load(options.model, options.library, device, precision=options.precision)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backend generate", description=__doc__)
    parser.add_argument("prompt", nargs="?", help='what the person does, for example "a person walks forward"')
    parser.add_argument("--prompts", type=Path, help="a .jsonl or .csv of many prompts instead; see docs/batch.md")
    parser.add_argument("--seconds", type=float, default=5.0, help=f"{MIN_SECONDS:g} to {MAX_SECONDS:g} (default: 5)")
    parser.add_argument("--seed", type=int, default=0, help="of the first take; the next has the next (default: 0)")
    parser.add_argument("--count", type=int, default=1, help=f"number of takes, 1 to {MAX_COUNT} (default: 1)")
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        help="FILE.npz (all takes) or FILE.bvh (one file a take); with --prompts a folder",
    )
    parser.add_argument("--format", choices=["npz", "bvh"], default="npz", help="of a batch's files (default: npz)")
    parser.add_argument(
        "--quality", choices=QUALITIES, default="full", help="fast: fewer steps; bench --quality says what it costs"
    )
    add_model_options(parser)
    return parser
