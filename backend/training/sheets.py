# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend evaluate sheets`: one picture a prompt, to see what no number says."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ..console.terminal import ProgressLine
from ..errors import BackendError
from ..generate import Generator
from ..request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

SEED: Final = 1
_MOMENTS: Final = 10
_COLOURS: Final = 64


@dataclass(frozen=True, slots=True)
class Scene:
    prompt: str
    seconds: float


SCENES: Final = (
    Scene("a person walks forward and waves", 5.0),
    Scene("a person walks slowly in a circle", 8.0),
    Scene("a man runs forward", 4.0),
    Scene("a person turns around to the left and walks back", 6.0),
    Scene("a person sits down on a chair", 4.0),
    Scene("someone gets up from a chair and walks away", 6.0),
    Scene("a person jumps up and down", 4.0),
    Scene("a person kicks with the right leg", 4.0),
    Scene("a boxer throws punches", 5.0),
    Scene("a person picks something up from the floor", 5.0),
    Scene("a person raises both arms above the head", 4.0),
    Scene("a woman dances", 6.0),
)
"""Twelve prompts that between them use the whole body."""


def draw_sheets(
    generator: Generator, folder: Path, scenes: Sequence[Scene] = SCENES, seed: int = SEED, count: int = 1
) -> list[Path]:
    """Sample `count` takes of every scene and write a sheet of each prompt into `folder`: 01_a_person_walks.png, ..."""
    from .figures import stacked, strip  # Pillow, which only pictures need

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with ProgressLine() as progress:
        for number, scene in enumerate(scenes, start=1):
            progress("sheets", number - 1, len(scenes))
            takes = generator.generate(Request(scene.prompt, scene.seconds, seed, count))
            pages = [
                strip(take.motion.positions.astype(np.float64), f"{scene.prompt}   (seed {seed + offset})", _MOMENTS)
                for offset, take in enumerate(takes)
            ]
            name = re.sub(r"[^a-z0-9]+", "_", scene.prompt.lower()).strip("_")[:48]
            path = folder / f"{number:02}_{name}.png"
            stacked(pages).quantize(_COLOURS).save(path, optimize=True)
            written.append(path)
    return written


def main(argv: Sequence[str]) -> int:
    """Draw what the model makes of twelve prompts."""
    parser = argparse.ArgumentParser(prog="python -m backend evaluate sheets", description=main.__doc__)
    parser.add_argument("--output", type=Path, default=Path("docs/images/sheets"), help="folder of the pictures")
    parser.add_argument("--model", type=Path, help="model folder (default: the starter model)")
    parser.add_argument("--library", type=Path, action="append", help="instead of the model's own; may be repeated")
    parser.add_argument("--prompt", action="append", help="instead of the twelve; may be repeated")
    parser.add_argument("--seconds", type=float, default=5.0, help="of the motions of --prompt (default: 5)")
    parser.add_argument("--seed", type=int, default=SEED, help="of the first take (default: %(default)s)")
    parser.add_argument("--takes", type=int, default=1, help="takes a prompt, one below the other (default: 1)")
    options = parser.parse_args(argv)
    if options.takes < 1:
        raise BackendError("bad_request", "A sheet needs a take.", "Ask for at least one with --takes.")
    scenes = [Scene(prompt, options.seconds) for prompt in options.prompt or []] or SCENES
    generator = Generator.load(options.model, options.library)
    for path in draw_sheets(generator, options.output, scenes, options.seed, options.takes):
        sys.stdout.write(f"{path}\n")
    return 0
