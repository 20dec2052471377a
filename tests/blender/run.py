# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tests of this folder inside one Blender; `python3 build.py test` starts it with the built zip.

pytest's options may follow: `... run.py -k undo`; and files of tests, where not all are wanted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    # The checkout stays off sys.path: only what the zip holds may be imported.
    options = ["-o", "pythonpath=", "--import-mode=importlib", "-p", "no:cacheprovider"]
    named = any(word.endswith(".py") for word in sys.argv[1:])
    code = int(pytest.main([*([] if named else [str(folder)]), *options, *sys.argv[1:]]))
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender as a module can hang while the interpreter shuts down.
    os._exit(code)
