#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one door of this repository: `python3 build.py --help` is the menu.

Needs Python 3.11 or newer and nothing else. What a command needs beyond that is installed into ignored folders of
this checkout the first time it runs.
"""

import argparse
import importlib
import sys

if sys.version_info < (3, 11):  # noqa: UP036  to say it in words people understand
    sys.exit(
        f"Error: this is Python {sys.version_info[0]}.{sys.version_info[1]}.\n"
        "Run build.py with Python 3.11 or newer, for example: python3.11 build.py"
    )

from tools.console import BuildError, fail

# group -> command -> (module that runs it, what it does)
MENU = {
    "See it work": {
        "demo": ("tools.demo.command", "a prompt becomes an animated character: .blend, video, contact sheet"),
    },
    "Check it": {
        "test": ("tools.testing", "every test: backend, motion maths, the built zip in Blender 4.5 and 5.0"),
        "lint": ("tools.lint", "style, types and imports: ruff, pyright, import-linter"),
        "lock": ("tools.lock", "make the locked lists of packages again"),
        "rig-report": ("tools.rig_report", "which bones of a rig play which joints, and how well it follows a motion"),
        "rig-sheet": ("tools.rig_sheet", "one take on several rigs in one picture"),
        "bench": ("tools.bench", "how fast it is on this machine; --json for programs"),
    },
    "Use it": {
        "extension": ("tools.extension", "the zip for Blender, built and validated into dist/"),
        "install": ("tools.backend", "an environment of the backend's own, from the locked list"),
        "generate": ("tools.backend", "a prompt to .npz or .bvh without Blender"),
        "library": ("tools.backend", "make, fill, list and search motion libraries"),
        "model": ("tools.backend", "list models, fetch published ones, import official checkpoints"),
    },
    "Teach it": {
        "data": ("tools.backend", "prepare training sets"),
        "train": ("tools.backend", "train a model"),
        "evaluate": ("tools.backend", "prompt exam, the paper's protocol, contact sheets, learning curve, ablation"),
        "publish": ("tools.backend", "turn a training run into the starter model and its library"),
        "verify": ("tools.backend", "compare every stage with golden numbers of the official code"),
    },
}


def menu() -> str:
    lines = [
        "ReMoDiffuse for Blender: type a prompt, get keyframes on your rig.",
        "",
        "usage: python3 build.py COMMAND",
    ]
    for group, commands in MENU.items():
        lines += ["", group, *(f"  {name:<10} {text}" for name, (_, text) in commands.items())]
    lines += [
        "",
        "python3 build.py COMMAND --help tells more. For example:",
        '  python3 build.py demo "a person walks forward and waves" --seconds 5 --seed 1',
    ]
    return "\n".join(lines)


def main(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(menu())
        return 0
    entries = {name: entry for commands in MENU.values() for name, entry in commands.items()}
    name, *rest = words
    if name not in entries:
        return fail(BuildError(f"There is no command {name!r}.", f"Choose one of: {', '.join(entries)}."))
    module_name, text = entries[name]
    module = importlib.import_module(module_name)
    parser = argparse.ArgumentParser(prog=f"build.py {name}", description=f"{name}: {text}.")
    try:
        return module.run(parser, rest)
    except BuildError as error:
        return fail(error)
    except KeyboardInterrupt:
        return fail(BuildError("Interrupted.", "Nothing is lost: repeat the command and it goes on."))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
