# SPDX-License-Identifier: GPL-3.0-or-later
"""Many prompts for many armatures without a window: `blender -b FILE.blend --command remodiffuse PROMPTS.csv`.

The animator's file is only read. What is made goes into another one, which also remembers which rows are done: the
command can be killed and repeated.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import bpy

from . import backend_choice, insert, properties, target, timeline, travel
from .client.client import Client
from .client.job import Outcome
from .shared import BackendError, read_prompts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .client.job import Job
    from .shared import Wanted

ROW: Final = "remodiffuse_row"
"""Custom property of an action: name and fingerprint of the row that it was made for."""
SAVE_SECONDS: Final = 20.0
POLL_SECONDS: Final = 0.005
TRIES: Final = 2
FINAL: Final = {"no_backend", "installing", "environment_broken", "version_mismatch"}
"""Troubles that the next row would have too."""
INSERT: Final = ("keys", "tolerance", "location_tolerance", "interpolation", "in_place")
"""The sidebar's settings that this command follows, too."""
COLUMNS: Final[tuple[str, ...]] = ("name", "armature", "prompt", "status", "actions", "message")


def command(words: Sequence[str]) -> int:
    """What Blender calls; returns the exit status. Rows that failed make it 1."""
    parser = argparse.ArgumentParser(prog="blender -b FILE.blend --command remodiffuse", description=__doc__)
    parser.add_argument(
        "prompts", type=Path, help="a .csv or .jsonl; columns: name, prompt, seconds, seed, armature, ..."
    )
    parser.add_argument("--output", type=Path, help="the new .blend (default: FILE-animated.blend beside FILE.blend)")
    keys = parser.add_argument_group("keys", "as the sidebar's settings in FILE.blend say (Insert), unless given here")
    keys.add_argument("--keys", choices=("every", "few"), help="one a frame, or as few as the tolerances allow")
    keys.add_argument("--tolerance", type=float, help="how far off rotations may be between few keys, degrees")
    keys.add_argument("--location-tolerance", type=float, help="the same for locations, metres of a usual person")
    keys.add_argument("--interpolation", choices=("linear", "bezier"), help="what curves do between keys")
    try:
        options = parser.parse_args(list(words))
        return _run(options.prompts, options.output, _key_settings(options))
    except SystemExit as end:
        return int(end.code or 0)
    except BackendError as error:
        sys.stderr.write(f"{error.message}\n{error.remedy}\n")
        return 1


def _key_settings(options: argparse.Namespace) -> dict[str, Any]:
    """What the command line says about keys, by the names of the scene's insert settings."""
    given = {
        "keys": {"every": "EVERY", "few": "SPARSE", None: None}[options.keys],
        "tolerance": options.tolerance,
        "location_tolerance": options.location_tolerance,
        "interpolation": options.interpolation and options.interpolation.upper(),
    }
    for name in ("tolerance", "location_tolerance"):
        if given[name] is not None and not 0.0 < given[name] < math.inf:
            raise BackendError(
                "bad_request",
                f"--{name.replace('_', '-')} {given[name]:g} is out of range.",
                "Choose a number above 0.",
            )
    return {name: value for name, value in given.items() if value is not None}


def _run(prompts: Path, output: Path | None, keys: dict[str, Any]) -> int:
    rows = read_prompts(prompts)
    source = Path(bpy.data.filepath)
    if not bpy.data.filepath:
        raise BackendError("no_file", "No .blend is open.", "Name one: blender -b FILE.blend --command remodiffuse ...")
    output = (output or source.with_name(f"{source.stem}-animated.blend")).absolute()
    if output == source:
        raise BackendError("cannot_write", f"{output} is the file that is read.", "Name another one with --output.")
    if output.exists():
        bpy.ops.wm.open_mainfile(filepath=str(output))
    work = Work(rows, output, keys)
    try:
        work.run()
    finally:
        work.client.stop(wait_seconds=2.0)
    failed = sum(entry["status"] == "failed" for entry in work.report.values())
    sys.stdout.write(f"{len(rows) - failed} of {len(rows)} rows done, {failed} failed\n{output}\n{work.report_file}\n")
    return 1 if failed else 0


class Work:
    """The rows, the file that they end in, and the report beside it. `keys` are insert settings that are not as in the
    file.
    """

    def __init__(self, rows: Sequence[Wanted], output: Path, keys: dict[str, Any] | None = None) -> None:
        self.rows = rows
        self.output = output
        self.insert = SimpleNamespace(
            **{name: getattr(properties.get(bpy.context).insert, name) for name in INSERT} | (keys or {})
        )
        self.client = Client()
        self.report: dict[str, dict[str, str]] = {}
        self._saved = time.monotonic()

    @property
    def report_file(self) -> Path:
        return self.output.with_suffix(".report.csv")

    def run(self) -> None:
        """Makes what the file lacks; saves every now and then and at the end."""
        done = _done()
        for row in self.rows:
            there = done.get(_mark(row))
            names = self._make(row) if there is None else there
            if names is not None:
                self._note(row, "done", names, said="there already" if there else "")
            if time.monotonic() - self._saved > SAVE_SECONDS:
                self._save()
        self._save()

    def _make(self, row: Wanted) -> list[str] | None:
        """The names of the row's new actions; None, with the reason in the report, where it failed."""
        try:
            armature = _armature(row)
            takes = self._takes(row).takes
            fps = bpy.context.scene.render.fps / bpy.context.scene.render.fps_base
            in_place = self.insert.in_place
            solved = [(take, target.solve_motion(armature, take.motion, fps, in_place=in_place)) for take in takes]
            insert.keep_action(armature)
            names = []
            for take, channels in solved:
                facts = insert.provenance(take) | {ROW: _mark(row)}
                keying = insert.keying(self.insert)
                action = timeline.write_action(armature, channels, row.name, row.frame, facts, keying)
                travel.keep(action, channels, row.frame)
                action.use_fake_user = True
                names.append(action.name)
        except BackendError as error:
            if error.code in FINAL:
                raise
            self._note(row, "failed", [], str(error))
            return None
        return names

    def _takes(self, row: Wanted) -> Job:
        """A backend that ends on the way gets one more chance."""
        for attempt in range(TRIES):
            job = self.client.generate(row.request, backend_choice.command(bpy.context))
            while job.outcome is None:
                if not self.client.poll():
                    time.sleep(POLL_SECONDS)
            if job.outcome is Outcome.DONE:
                return job
            if job.error and (job.error.code != "backend_ended" or attempt + 1 == TRIES):
                raise job.error
        raise BackendError("cancelled", "The request was cancelled.", "Repeat the command.")

    def _note(self, row: Wanted, status: str, actions: Iterable[str], message: str = "", said: str = "") -> None:
        """`message` stands in the report, `said` in the terminal alone."""
        self.report[row.name] = {
            "name": row.name,
            "armature": row.armature,
            "prompt": row.request.prompt,
            "status": status,
            "actions": " | ".join(actions),
            "message": message,
        }
        sys.stdout.write(f"{len(self.report)}/{len(self.rows)} {row.name}: {said or status} {message}".rstrip() + "\n")
        sys.stdout.flush()

    def _save(self) -> None:
        """File, then report, each under a temporary name first: a kill leaves the ones before."""
        draft = self.output.with_name(self.output.name + ".new.blend")
        try:
            bpy.ops.wm.save_as_mainfile(filepath=str(draft), copy=True, check_existing=False)
            draft.replace(self.output)
            draft = self.report_file.with_suffix(".new")
            with draft.open("w", encoding="utf-8", newline="") as stream:
                table = csv.writer(stream)
                table.writerow(COLUMNS)
                table.writerows(entry.values() for entry in self.report.values())
            draft.replace(self.report_file)
        except (OSError, RuntimeError) as error:
            raise BackendError(
                "cannot_write",
                f"{self.output} cannot be written ({error}).",
                "Free some space or name another --output.",
            ) from error
        finally:
            if draft.exists():
                os.unlink(draft)  # noqa: PTH108  never the user's file: it ends in .new
        self._saved = time.monotonic()


def _mark(row: Wanted) -> str:
    return f"{row.name} {row.fingerprint()}"


def _done() -> dict[str, list[str]]:
    """Rows of which the open file has actions, with the names of these."""
    found: dict[str, list[str]] = {}
    for action in bpy.data.actions:
        mark: Any = action.get(ROW)
        if isinstance(mark, str):
            found.setdefault(mark, []).append(action.name)
    return found


def _armature(row: Wanted) -> bpy.types.Object:
    """The armature that the row names; the only one of the file where it names none."""
    armatures = [each for each in bpy.context.scene.objects if each.type == "ARMATURE" and not each.library]
    if row.armature:
        armatures = [each for each in armatures if each.name == row.armature]
    if len(armatures) != 1:
        named = f'no armature "{row.armature}"' if row.armature else f"{len(armatures)} armatures"
        raise BackendError(
            "no_armature", f"The scene has {named}.", "Give each row the name of an armature in the column armature."
        )
    return armatures[0]
