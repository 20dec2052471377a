# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend COMMAND ...`: everything that the backend does without Blender."""

from __future__ import annotations

import importlib
import sys
from typing import Final

from .errors import BackendError
from .threads import keep_numpy_to_one_thread

COMMANDS: Final = {
    "generate": ("backend.commands.generate", "main", "a prompt becomes motion files (.npz, .bvh)"),
    "install": ("backend.install.command", "main", "make an environment of the backend's own"),
    "library": ("backend.commands.library", "main", "make, fill, list and search motion libraries"),
    "model": ("backend.commands.model", "main", "list models, fetch published ones, import official checkpoints"),
    "serve": ("backend.server", "main", "answer Blender over standard input and output"),
    "verify": ("backend.verify", "main", "compare every stage with golden numbers of the official code"),
    "bench": ("backend.bench.command", "main", "measure the speed on this machine"),
    "data": ("backend.training.cli", "data", "prepare training sets"),
    "train": ("backend.training.cli", "train", "train a model"),
    "evaluate": (
        "backend.training.evaluation",
        "main",
        "judge a model: prompt exam, the paper's protocol, pictures, learning curve, ablation",
    ),
    "publish": ("backend.training.cli", "publish", "turn a training run into a model folder and its starter library"),
}
"""Module and function of each command, `function(arguments) -> exit status`; imported only when the command is used."""


def main() -> int:
    """Run one command. What goes wrong is told in one sentence, with a remedy."""
    name, arguments = (sys.argv[1:2] or ["--help"])[0], sys.argv[2:]
    if name in ("-h", "--help"):
        sys.stdout.write(_help())
        return 0
    if name not in COMMANDS:
        sys.stderr.write(f'There is no command "{name}".\n\n{_help()}')
        return 2
    try:
        keep_numpy_to_one_thread()
        module, function, _ = COMMANDS[name]
        return getattr(importlib.import_module(module), function)(arguments)
    except BackendError as error:
        sys.stderr.write(f"{error.message}\n{error.remedy}\n")
    except ModuleNotFoundError as error:
        sys.stderr.write(f"The backend's environment lacks {error.name}.\nMake it again: python3 build.py test\n")
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else f"{error}"
        sys.stderr.write(f"{what}.\nFree some space or check the rights of the folder, then repeat the command.\n")
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
    return 1


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {words}" for name, (_, _, words) in COMMANDS.items()]
    return "\n".join(["usage: python -m backend COMMAND ... (COMMAND --help says more)", "", *lines, ""])


if __name__ == "__main__":
    sys.exit(main())
