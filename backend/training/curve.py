# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend evaluate curve`: a training run's log as a picture."""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Sequence

Points = list[tuple[float, float]]

LOG: Final = "log.jsonl"
WINDOW: Final = 25
"""Logged losses that one point of the smooth line is the mean of."""

_SIZE: Final = (960, 540)
_MARGINS: Final = (86, 60, 190, 64)  # left, top, right, bottom
_COLOURS: Final = ((54, 108, 180), (206, 92, 66), (60, 150, 92), (150, 96, 176), (196, 148, 40), (80, 80, 92))
_FAINT: Final = (205, 216, 232)
_INK: Final = (38, 48, 62)
_GRID: Final = (226, 229, 234)


@dataclass(frozen=True, slots=True)
class Curve:
    """Of one run: `loss` as logged, (iteration, plain mean squared error) of single batches; `validation` for each of
    the trainer's timesteps; `seconds` the run took."""

    loss: Points
    validation: list[Points]
    seconds: float


def read_curve(run: Path) -> Curve:
    """Raises BackendError where the run has no log, or nothing is in it. A line that was being written is left out, and
    where a run went on from an earlier checkpoint what it did again replaces what it had done."""
    path = run / LOG if run.is_dir() else run
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BackendError(
            "no_data", f"{run} is no training run ({error.strerror}).", "Name a folder that train wrote to."
        ) from error
    loss: dict[float, float] = {}
    validation: dict[float, list[float]] = {}
    seconds, last = 0.0, 0
    for line in lines:
        try:
            record = json.loads(line)
            at = int(record["iteration"])
        except (ValueError, KeyError, TypeError):
            continue
        if at < last:
            loss = {place: value for place, value in loss.items() if place < at}
            validation = {place: values for place, values in validation.items() if place < at}
        last, seconds = at, float(record.get("seconds", seconds))
        if "plain" in record:
            loss[at] = float(record["plain"])
        if isinstance(record.get("validation"), list):
            validation[at] = [float(value) for value in record["validation"]]
    if not loss and not validation:
        raise BackendError("no_data", f"Nothing is logged in {path} yet.", "Train for some iterations first.")
    most = max(map(len, validation.values()), default=0)
    tracks = [[(at, values[n]) for at, values in validation.items() if n < len(values)] for n in range(most)]
    return Curve(list(loss.items()), tracks, seconds)


def smoothed(points: Points, window: int = WINDOW) -> Points:
    """Means of up to `window` points about each."""
    half = window // 2
    result = []
    for number, (at, _) in enumerate(points):
        reach = min(half, number, len(points) - 1 - number)
        near = [value for _, value in points[number - reach : number + reach + 1]]
        result.append((at, sum(near) / len(near)))
    return result


@dataclass(frozen=True, slots=True)
class Axes:
    """Iterations from left to right, the error's logarithm upwards."""

    last: float
    low: float
    high: float

    @classmethod
    def over(cls, tracks: Sequence[Points]) -> Axes:
        values = [value for track in tracks for _, value in track if value > 0]
        low, high = min(values) / 1.1, max(values) * 1.1
        return cls(max(at for track in tracks for at, _ in track), low, high)

    def place(self, at: float, value: float) -> tuple[float, float]:
        left, top, right, bottom = _MARGINS
        x = left + (_SIZE[0] - left - right) * at / self.last
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return x, _SIZE[1] - bottom - (_SIZE[1] - top - bottom) * share

    def iterations(self) -> list[float]:
        """Round numbers, at most seven."""
        step = 10.0 ** math.floor(math.log10(max(self.last, 1.0)))
        step = next(step * part for part in (0.1, 0.2, 0.5, 1.0, 2.0) if self.last / (step * part) <= 7)
        return [step * number for number in range(int(self.last / step) + 1)]

    def errors(self) -> list[float]:
        found = [
            digit * 10.0**power
            for power in range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            for digit in (1, 1.5, 2, 3, 5, 7)
        ]
        return [value for value in found if self.low <= value <= self.high]


def draw(curve: Curve, title: str, timesteps: Sequence[int], output: Path) -> None:
    """Write a PNG: every batch's loss faintly, its running mean, and the validation error at each timestep."""
    from PIL import Image, ImageDraw, ImageFont

    tracks = [track for track in [curve.loss, *curve.validation] if track]
    axes = Axes.over(tracks)
    page = Image.new("RGB", _SIZE, "white")
    pen = ImageDraw.Draw(page)
    small, large = ImageFont.load_default(14), ImageFont.load_default(19)
    left, top, right, bottom = _MARGINS
    edge = _SIZE[0] - right, _SIZE[1] - bottom
    for value in axes.errors():
        y = axes.place(0, value)[1]
        pen.line([(left, y), (edge[0], y)], fill=_GRID)
        pen.text((left - 8, y), f"{value:.3g}", _INK, small, anchor="rm")
    for at in axes.iterations():
        x = axes.place(at, axes.low)[0]
        pen.line([(x, top), (x, edge[1])], fill=_GRID)
        pen.text((x, edge[1] + 8), f"{at:,.0f}", _INK, small, anchor="ma")
    pen.text((left, 20), title, _INK, large)
    pen.text(((left + edge[0]) / 2, _SIZE[1] - 12), "iterations", _INK, small, anchor="ms")
    legend = []
    if curve.loss:
        pen.line([axes.place(*point) for point in curve.loss], fill=_FAINT)
        pen.line([axes.place(*point) for point in smoothed(curve.loss)], fill=_COLOURS[0], width=3)
        legend.append((_COLOURS[0], "training batches"))
    for number, track in enumerate(curve.validation):
        colour = _COLOURS[1 + number % (len(_COLOURS) - 1)]
        places = [axes.place(*point) for point in track]
        pen.line(places, fill=colour, width=2)
        for x, y in places:
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)
        when = f" t = {timesteps[number]}" if number < len(timesteps) else ""
        legend.append((colour, f"held out,{when}" if when else "held out"))
    for row, (colour, words) in enumerate(legend):
        y = top + 12 + 24 * row
        pen.line([(edge[0] + 14, y), (edge[0] + 38, y)], fill=colour, width=3)
        pen.text((edge[0] + 46, y), words, _INK, small, anchor="lm")
    output.parent.mkdir(parents=True, exist_ok=True)
    page.save(output, optimize=True)


def main(argv: Sequence[str]) -> int:
    """Draw the learning curve of a training run: mean squared error of normalised features."""
    from .trainer import VALIDATION_TIMESTEPS

    parser = argparse.ArgumentParser(prog="python -m backend evaluate curve", description=main.__doc__)
    parser.add_argument("run", type=Path, help="folder of the run, or its log.jsonl")
    parser.add_argument("--output", type=Path, default=Path("docs/images/learning-curve.png"), help="the picture, PNG")
    options = parser.parse_args(argv)
    if options.output.suffix != ".png":
        raise BackendError("cannot_write", f"{options.output} is no .png.", "Choose a name that ends in .png.")
    curve = read_curve(options.run)
    last = max(at for track in [curve.loss, *curve.validation] for at, _ in track)
    name = (options.run if options.run.is_dir() else options.run.absolute().parent).name
    title = f"{name}: {last:,} iterations, {curve.seconds / 3600:.1f} hours"
    draw(curve, title, VALIDATION_TIMESTEPS, options.output)
    sys.stdout.write(f"{options.output}\n")
    return 0
