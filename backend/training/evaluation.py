# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend evaluate ...`: one table of what can be judged; each kind has a file of its own."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS: Final = {
    "exam": ("evaluate", "how many takes do what their prompt says (docs/prompt-exam.md)"),
    "protocol": ("judges.command", "the paper's measures: R-precision, FID, diversity, multimodality"),
    "sheets": ("sheets", "pictures of what a model makes of twelve prompts"),
    "curve": ("curve", "the learning curve of a training run as a picture"),
    "ablation": ("ablation", "what each departure from the paper gains, by short runs without it"),
}


def main(arguments: Sequence[str]) -> int:
    """`exam` reads its own name as its first word; the others begin after it."""
    name = arguments[0] if arguments else "--help"
    if name in KINDS:
        module = importlib.import_module(f"{__package__}.{KINDS[name][0]}")
        return module.main(list(arguments) if name == "exam" else list(arguments[1:]))
    lines = [f"  {kind:9} {words}" for kind, (_, words) in KINDS.items()]
    usage = "\n".join(["usage: python -m backend evaluate KIND ... (KIND --help says more)", "", *lines, ""])
    known = name in ("-h", "--help")
    (sys.stdout if known else sys.stderr).write(usage)
    return 0 if known else 2
