# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py rig-sheet: a rig file becomes a column of pictures in which the character is to be seen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.environments import BLENDERS, ensure

ROOT = Path(__file__).parents[1]

# A character of giant size, in centimetres and beside the origin, as a file may hold one.
MAKE = """
import os, sys
import bpy
from remodiffuse_blender.rig.armature import build_skeleton

bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
hero = build_skeleton("Hero")
hero.scale, hero.location = (100.0, 100.0, 100.0), (30.0, -20.0, 0.0)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
sys.stdout.flush()
os._exit(0)
"""


def _sheet(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "build.py", "rig-sheet", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)


def test_a_giant_is_in_the_picture(tmp_path: Path) -> None:
    words = [str(ensure(BLENDERS["4.5"])), "-c", MAKE, str(tmp_path / "giant.blend")]
    assert subprocess.run(words, cwd=ROOT, capture_output=True, check=False, timeout=300).returncode == 0
    picture = tmp_path / "sheet.png"
    words = ["a person walks forward", tmp_path / "giant.blend", "--seconds", 0.8, "--moments", 1, "--output", picture]
    done = _sheet(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    with Image.open(picture) as opened:
        pixels = np.asarray(opened.convert("RGB"), np.float64)
    # The body is the only thing of a warm colour, and it stands in the middle, as high as most of the tile.
    body = pixels[..., 0] > pixels[..., 2] + 40.0
    rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
    assert 0.4 < np.ptp(rows) / body.shape[0] < 0.9
    assert abs(columns.mean() / body.shape[1] - 0.5) < 0.15


@pytest.mark.parametrize(
    ("words", "said"), [(["nowhere.blend"], "no file"), (["build.py", "--moments", "0"], "moments")]
)
def test_what_cannot_be_shown_is_refused(words: list[str], said: str) -> None:
    done = _sheet("a person walks", *words)
    assert done.returncode == 1
    assert said in done.stderr
