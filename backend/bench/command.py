# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend bench`: measure the speed on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import BackendError
from ..threads import limit_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

FEATURES: Final = {"t2m": 263, "kit": 251}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the sampler on this machine; or, with an option, a large library, lengths, the start or fast takes."""
    parser = argparse.ArgumentParser(prog="python -m backend bench", description=main.__doc__)
    parser.add_argument("--model", default="t2m", help="t2m or kit (official sizes), starter, or a model folder")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    parser.add_argument("--batch", type=int, nargs="+", help="takes at a time (default: 1 4)")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), help="this one, however slow")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--library", type=int, metavar="CLIPS", help="search among so many made-up clips")
    what.add_argument("--lengths", action="store_true", help="takes of several lengths: the cost is linear in frames")
    what.add_argument("--start", action="store_true", help="from the start of the process to its first take")
    what.add_argument("--quality", action="store_true", help="what fast takes cost, by the prompt exam")
    parser.add_argument("--seeds", type=int, default=2, help="takes of each prompt with --quality (default: 2)")
    options = parser.parse_args(argv)
    numbers = [("--threads", options.threads), ("--library", options.library), ("--seeds", options.seeds)]
    for name, value in (*numbers, *(("--batch", batch) for batch in options.batch or ())):
        if value is not None and value < 1:
            raise BackendError("bad_request", f"{name} {value} is out of range.", "Choose 1 or more.")
    limit_threads(options.threads)
    rows = _measured(options)
    if options.json:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    else:
        sys.stdout.writelines("  ".join(f"{key} {_short(value)}" for key, value in row.items()) + "\n" for row in rows)
    return 0


def _measured(options: argparse.Namespace) -> list[dict[str, Any]]:
    if options.library:
        from .library import measure_library

        return [asdict(measure_library(options.library))]
    if options.start:
        from .start import measure_start

        return [asdict(measure_start(_folder(options.model), options.device))]
    if options.quality:
        from .quality import measure_quality

        return [asdict(row) for row in measure_quality(_folder(options.model), options.device, options.seeds)]

    import torch

    from ..device import choose_device
    from ..model_folder import load_model
    from .sampling import BATCHES, bench, official_size

    device = torch.device(choose_device(options.device))
    if options.model in FEATURES:
        network = official_size(FEATURES[options.model], device)
    else:
        network = load_model(_folder(options.model), device).network
    if options.lengths:
        from .lengths import measure_lengths

        return [asdict(row) for row in measure_lengths(options.model, network, device, options.precision or "float32")]
    precisions = [options.precision] if options.precision else None
    batches = options.batch or BATCHES
    rows = bench(options.model, network, device, precisions, lambda words: sys.stderr.write(words + "\n"), batches)
    return [asdict(row) for row in rows]


def _folder(model: str) -> Path:
    """The folder of a model that has trained weights; official sizes alone say nothing of takes."""
    from ..models import STARTER

    return STARTER if model in ("starter", *FEATURES) else Path(model)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
