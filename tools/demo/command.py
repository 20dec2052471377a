# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py demo: a prompt becomes an animated character, by the way a user's Blender would go."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .. import extension
from ..console import ROOT, BuildError, call_quietly, relative, say
from ..environments import BACKEND, BLENDERS, ensure

if TYPE_CHECKING:
    import argparse

BLENDER: Final = BLENDERS["4.5"]
MADE: Final = ("motion.blend", "motion.mp4", "contact-sheet.png", "motion.bvh", "take.npz")


def run(parser: argparse.ArgumentParser, words: list[str]) -> int:
    parser.add_argument("prompt", help='what the character does, for example "a person walks forward and waves"')
    parser.add_argument("--seconds", type=float, default=5.0, help="length of the motion, 0.8 to 9.8 (default: 5)")
    parser.add_argument(
        "--seed", type=int, default=1, help="the same prompt and seed give the same motion (default: 1)"
    )
    parser.add_argument(
        "--rig",
        default="rigify",
        metavar="RIG",
        help="rigify (control rig, the default), metarig, skeleton, or a .blend, .glb, .fbx or .bvh file",
    )
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder for what is made (default: demo)")
    arguments = parser.parse_args(words)
    backend_python, blender_python = ensure(BACKEND), ensure(BLENDER)

    started = time.monotonic()
    output = arguments.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    for name in MADE:
        (output / name).unlink(missing_ok=True)
    log = ROOT / "build" / "demo.log"
    log.unlink(missing_ok=True)
    seconds: dict[str, float] = {}

    def stage(name: str, module: str, *options: object, python: Path = blender_python) -> None:
        """One step as a program of its own, timed."""
        say(f"Now: {name}")
        clock = time.monotonic()
        command = [python, "-m", f"tools.demo.{module}", *map(str, options)]
        try:
            call_quietly(command, log, name, "Mend that and repeat the command.")
        except BuildError as error:
            raise _told_by_the_step(output / "error.json") or error from None
        seconds[name] = time.monotonic() - clock

    say(f'"{arguments.prompt}"  {arguments.seconds:g} s, seed {arguments.seed}, rig {arguments.rig}')
    clock = time.monotonic()
    archive = extension.build()
    seconds["build the extension"] = time.monotonic() - clock
    with tempfile.TemporaryDirectory(prefix="remodiffuse-demo-", ignore_cleanup_errors=True) as temporary:
        home = Path(temporary)
        # A user folder of its own: the demo neither sees nor changes the settings of an installed Blender.
        os.environ["BLENDER_USER_RESOURCES"] = str(home / "blender")
        request = {
            "archive": str(archive),
            "python": str(backend_python),
            "prompt": arguments.prompt,
            "seconds": arguments.seconds,
            "seed": arguments.seed,
            "rig": _rig(arguments.rig),
            "output": str(output),
        }
        (home / "request.json").write_text(json.dumps(request), encoding="utf-8")
        stage("animate in Blender", "animate", home / "request.json", home / "report.json")
        report = json.loads((home / "report.json").read_text(encoding="utf-8"))
        say(_references(report["references"]))
        frames = home / "frames"
        stage("render", "film", output / "motion.blend", frames, output / "motion.mp4")
        title = f"{arguments.prompt}   (seed {arguments.seed})"
        sheet = output / "contact-sheet.png"
        stage("contact sheet", "contact_sheet", frames, report["fps"], title, sheet, python=backend_python)
    _summary(output, seconds, report, time.monotonic() - started)
    return 0


def _rig(choice: str) -> str:
    """One of the built-in rigs, or the full path of a file. Raises BuildError."""
    if choice in ("rigify", "metarig", "skeleton"):
        return choice
    path = Path(choice).resolve()
    if not path.is_file() or path.suffix.lower() not in (".blend", ".glb", ".gltf", ".fbx", ".bvh"):
        raise BuildError(
            f"There is no rig {choice!r}.", "Choose rigify, metarig, skeleton, or a .blend, .glb, .fbx or .bvh file."
        )
    return str(path)


def _told_by_the_step(file: Path) -> BuildError | None:
    """The error that the add-on itself reported, in the words that the sidebar would show."""
    if not file.exists():
        return None
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    return BuildError(told["message"], told["remedy"])


def _references(references: list[dict[str, Any]]) -> str:
    lines = ["Retrieved references:"]
    lines += [
        f'  {each["score"]:.3f}  "{each["caption"]}"  ({each["source"]}, {each["licence"]})' for each in references
    ]
    return "\n".join(lines) if references else "No references were retrieved."


def _summary(output: Path, seconds: dict[str, float], report: dict[str, Any], total: float) -> None:
    say("Time:")
    for name, value in seconds.items():
        say(f"  {value:6.1f} s  {name}")
        if name == "animate in Blender":
            for part, share in report["seconds"].items():
                say(f"    {share:6.1f} s  {part}")
    say(f"  {total:6.1f} s  in all\nMade:")
    for name in MADE:
        say(f"  {relative(output / name)}")
    if shutil.which("blender"):
        say(f"Open it: blender {relative(output / 'motion.blend')}")
