# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py rig-report on real files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backend.motion.skeleton import rest_positions

ROOT = Path(__file__).parents[1]
RIGS = ROOT.parent / "shared" / "data" / "rigs"

pytestmark = pytest.mark.skipif(not RIGS.exists(), reason="the shared rigs are not beside the repository")


def _report(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "build.py"), "rig-report", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def _standing(path: Path) -> Path:
    """A take of a person who stands and lifts the left arm a little."""
    positions = np.repeat(rest_positions()[None], 20, axis=0)
    rotations = np.zeros((20, 22, 4))
    rotations[..., 0] = 1.0
    root, contacts = positions[None, :, 0], np.ones((1, 20, 4))
    np.savez(path, positions=positions[None], rotations=rotations[None], root=root, contacts=contacts, fps=20.0)
    return path


def test_rigs_are_told_apart_and_measured(tmp_path: Path) -> None:
    files = [RIGS / "mixamo" / "mpfb_mixamo.json", RIGS / "smpl" / "t2m22_template.bvh"]
    done = _report(*files, "--motion", _standing(tmp_path / "take.npz"), "--json")
    assert done.returncode == 0, done.stderr
    mixamo, skeleton = json.loads(done.stdout)
    assert mixamo["family"] == "mixamo"
    assert mixamo["map"]["left_knee"] == "mixamorig:LeftLeg"
    assert mixamo["missing"] == []
    assert skeleton["map"]["head"] == "Head"
    for report in (mixamo, skeleton):
        assert report["errors"]["direction_mean_degrees"] < 2.0
        assert report["errors"]["foot_slide_mean_cm_s"] < 1.0


def test_what_is_no_person_is_said_and_fails() -> None:
    done = _report(RIGS / "openpose" / "mpfb_openpose.json")
    assert done.returncode == 1
    assert "missing for head" in done.stdout
