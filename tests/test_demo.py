# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py demo, the whole chain on the plain skeleton: everything it promises is there and opens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tools.environments import BLENDERS, ensure

if TYPE_CHECKING:
    from subprocess import CompletedProcess

ROOT = Path(__file__).resolve().parent.parent
FRAMES = 16
OPEN = """
import bpy, json, os, sys
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
data = bpy.data.objects["Skeleton"].animation_data
print("FOUND " + json.dumps({
    "action": data.action.name,
    "slot": data.action_slot.name_display,
    "range": list(data.action.frame_range),
    "scene": [bpy.context.scene.frame_start, bpy.context.scene.frame_end],
    "prompt": data.action["prompt"],
    "camera": bpy.context.scene.camera is not None,
    "body": any(modifier.type == "ARMATURE" for modifier in bpy.data.objects["Mannequin"].modifiers),
}))
sys.stdout.flush()
os._exit(0)
"""


def _demo(*words: object) -> CompletedProcess[str]:
    command = [sys.executable, "build.py", "demo", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo's folder and what it printed."""
    output = tmp_path_factory.mktemp("demo")
    done = _demo("a person walks forward", "--seconds", FRAMES / 20, "--rig", "skeleton", "--output", output)
    assert done.returncode == 0, done.stdout + done.stderr
    return output, done.stdout


def test_it_tells_references_times_and_files(made: tuple[Path, str]) -> None:
    _, printed = made
    for words in ("Retrieved references:", "accept: solve and write keys", "s  in all", "motion.blend", "take.npz"):
        assert words in printed


@pytest.mark.parametrize("version", BLENDERS)
def test_the_blend_opens_with_its_action_and_slot(made: tuple[Path, str], version: str) -> None:
    output, _ = made
    command = [ensure(BLENDERS[version]), "-c", OPEN, str(output / "motion.blend")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found = json.loads(next(line for line in printed.splitlines() if line.startswith("FOUND ")).removeprefix("FOUND "))
    assert found == {
        "action": "a person walks forward",
        "slot": "Skeleton",
        "range": [1.0, FRAMES],
        "scene": [1, FRAMES],
        "prompt": "a person walks forward",
        "camera": True,
        "body": True,
    }


def test_the_take_and_its_provenance_are_kept_as_arrays(made: tuple[Path, str]) -> None:
    output, _ = made
    with np.load(output / "take.npz", allow_pickle=False) as take:
        assert take["positions"].shape == (1, FRAMES, 22, 3)
        assert take["rotations"].shape == (1, FRAMES, 22, 4)
        assert json.loads(str(take["provenance"]))[0]["prompt"] == "a person walks forward"


def test_the_bvh_holds_the_22_joints_and_every_frame(made: tuple[Path, str]) -> None:
    output, _ = made
    text = (output / "motion.bvh").read_text()
    assert text.count("JOINT ") + text.count("ROOT ") == 22
    assert f"Frames: {FRAMES}" in text


def test_video_and_contact_sheet_show_something(made: tuple[Path, str]) -> None:
    output, _ = made
    assert (output / "motion.mp4").read_bytes()[4:8] == b"ftyp"
    with Image.open(output / "contact-sheet.png") as sheet:
        assert sheet.width > 1000
        # The mannequin's wood is the one warm colour in the picture.
        red, _, blue = (channel.astype(int) for channel in np.moveaxis(np.asarray(sheet.convert("RGB")), 2, 0))
        assert (red > blue + 40).mean() > 0.03


def test_what_the_sidebar_would_refuse_is_told_in_the_same_words(tmp_path: Path) -> None:
    refused = _demo("a person walks forward", "--seconds", 60, "--rig", "skeleton", "--output", tmp_path)
    assert refused.returncode == 1
    assert "60 seconds cannot be generated" in refused.stderr
    assert "Choose between" in refused.stderr


def test_a_rig_that_is_not_there_is_told(tmp_path: Path) -> None:
    refused = _demo("a person walks forward", "--rig", "nobody.fbx", "--output", tmp_path)
    assert refused.returncode == 1
    assert "nobody.fbx" in refused.stderr
