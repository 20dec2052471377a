# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py rig-sheet: a take is sampled once, put on each rig by the add-on, rendered, and laid out on one sheet."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..console import ROOT, BuildError, call_quietly, relative, say
from ..environments import BACKEND, BLENDERS, ensure

if TYPE_CHECKING:
    import argparse

REMEDY: Final = "Mend that and repeat the command."


def run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    parser.add_argument("prompt", help='what the characters do, for example "a person walks forward and waves"')
    parser.add_argument("files", nargs="+", type=Path, help=".blend, .glb, .gltf, .fbx, .bvh or .json rig files")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of the motion, 0.8 to 9.8 (default: 5)")
    parser.add_argument(
        "--seed", type=int, default=1, help="the same prompt and seed give the same motion (default: 1)"
    )
    parser.add_argument("--moments", type=int, default=4, help="pictures of each rig (default: 4)")
    parser.add_argument("--output", type=Path, default=Path("rigs.png"), help="the picture (default: rigs.png)")
    arguments = parser.parse_args(words)
    for file in arguments.files:
        if not file.is_file():
            raise BuildError(f"There is no file {file}.", "Check its name.")
    if arguments.moments < 1:
        raise BuildError(f"{arguments.moments} moments cannot be shown.", "Choose 1 or more.")
    backend_python, blender_python = ensure(BACKEND), ensure(BLENDERS["4.5"])
    log = ROOT / "build" / "rig-sheet.log"
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="remodiffuse-sheet-") as temporary:
        folder = Path(temporary)
        say("Now: sample the take")
        how = ["--seconds", arguments.seconds, "--seed", arguments.seed, "--output", folder / "take.npz"]
        generate = [backend_python, "-m", "backend", "generate", arguments.prompt, *map(str, how)]
        call_quietly(generate, log, "The take", REMEDY)
        request = {"files": [str(file.resolve()) for file in arguments.files], "moments": arguments.moments}
        (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
        say(f"Now: put it on {len(arguments.files)} rigs and render them")
        call_quietly([blender_python, "-m", "tools.rig_sheet.render", folder], log, "The pictures", REMEDY)
        title = f"{arguments.prompt}   (seed {arguments.seed})"
        arrange = [backend_python, "-m", "tools.rig_sheet.arrange", folder, title, arguments.output.resolve()]
        call_quietly(arrange, log, "The sheet", REMEDY)
    say(f"Made: {relative(arguments.output.resolve())}")
    return 0
