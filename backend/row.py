# SPDX-License-Identifier: GPL-3.0-or-later
"""A row of prompts becomes one continuous motion. Each prompt is sampled by itself; then the frames around each join
are sampled once more, conditioned on the frames of both neighbours.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from .motion.joining import bridge, cut, following, in_a_row
from .motion.skeleton import FPS, JOINTS
from .request import Canvas, Take

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .motion.clip import Motion
    from .request import Provenance, Request

    Progress = Callable[[str, int, int], None]
    Sample = Callable[[Request, Sequence[Canvas], Progress], list[Take]]

JOIN: Final = 8
"""Frames on either side of a join that are made anew."""
CONTEXT: Final = 24
"""Frames on either side of those that the join is conditioned on."""


def takes_of_row(sample: Sample, request: Request, report: Progress) -> list[Take]:
    """`request.count` takes of all its prompts, one after another, as long as all of them together.

    `sample` makes takes of one prompt: `Generator.sampled`.
    """
    parts = request.parts
    stages = 2 * len(parts) - 1

    def progress_of(stage: int) -> Progress:
        return lambda name, step, steps: report(name, stage * max(steps, 1) + step, stages * max(steps, 1))

    alone = [sample(part, [], progress_of(stage)) for stage, part in enumerate(parts)]
    motions = [take.motion for take in alone[0]]
    for number in range(1, len(parts)):
        after = [take.motion for take in alone[number]]
        motions = _joined(sample, parts[number], motions, after, progress_of(len(parts) + number - 1))
    return [
        Take(motion, _provenance(request, [takes[index].provenance for takes in alone]))
        for index, motion in enumerate(motions)
    ]


def _joined(
    sample: Sample, request: Request, before: Sequence[Motion], after: Sequence[Motion], report: Progress
) -> list[Motion]:
    """Each motion with the one after it, which goes on from its place and heading."""
    join = min(JOIN, before[0].frames // 4, after[0].frames // 4)
    heads = [cut(motion, 0, motion.frames - join) for motion in before]
    tails = [
        following(head, cut(motion, join, motion.frames), 2 * join) for head, motion in zip(heads, after, strict=True)
    ]
    left, right = min(CONTEXT, heads[0].frames), min(CONTEXT, tails[0].frames)
    free = np.zeros((left + 2 * join + right, len(JOINTS)), np.bool_)
    free[left : left + 2 * join] = True
    canvases = [
        Canvas(
            in_a_row(cut(head, head.frames - left, head.frames), bridge(head, tail, 2 * join), cut(tail, 0, right)),
            free,
        )
        for head, tail in zip(heads, tails, strict=True)
    ]
    wanted = replace(request, seconds=len(free) / FPS, canvas=canvases[0])
    windows = [take.motion for take in sample(wanted, canvases, report)]
    return [
        in_a_row(cut(head, 0, head.frames - left), window, cut(tail, right, tail.frames))
        for head, window, tail in zip(heads, windows, tails, strict=True)
    ]


def _provenance(request: Request, parts: Sequence[Provenance]) -> Provenance:
    """That of the first prompt, with all prompts and all references."""
    references = {(each.library, each.clip): each for part in parts for each in part.references}
    row = [{"prompt": part.prompt, "seconds": part.seconds, "start": part.sampler.get("start")} for part in parts]
    return replace(
        parts[0],
        prompt=", then ".join(part.prompt for part in parts),
        seconds=sum(part.seconds for part in parts),
        sampler=parts[0].sampler | {"row": row},
        references=tuple(references.values()),
    )
